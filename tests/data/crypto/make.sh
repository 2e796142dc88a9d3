#!/bin/sh
# Makes the files of this folder anew with the openssl command line (3.0). Run it in the folder.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

names="-subj /C=DE/O=Example/CN=www.example.com -addext subjectAltName=DNS:www.example.com,DNS:example.com,IP:192.0.2.1,IP:2001:db8::1"
req() { # req NAME KEY-ARGUMENTS… -- REQ-ARGUMENTS…
  name=$1; shift
  key=""; while [ "$1" != "--" ]; do key="$key $1"; shift; done; shift
  openssl genpkey $key -out "$work/$name.key" 2>/dev/null
  openssl req -new -key "$work/$name.key" -outform DER -out "$name.csr" "$@"
}
ec() { echo "-algorithm EC -pkeyopt group:$1 -pkeyopt ec_param_enc:${2:-named_curve}"; }

req p256 $(ec P-256) -- $names
req p384 $(ec P-384) -- $names -sha384
req p521 $(ec P-521) -- $names -sha512
req ed25519 -algorithm ED25519 -- $names
req rsa2048 -algorithm RSA -- $names
req rsa3072-sha512 -algorithm RSA -pkeyopt rsa_keygen_bits:3072 -- $names -sha512
req must-staple $(ec P-256) -- -subj / -addext subjectAltName=critical,DNS:a.example -addext tlsfeature=status_request -addext extendedKeyUsage=serverAuth
req cn-only $(ec P-256) -- -subj /CN=only.example

cat > "$work/challenge.cnf" <<EOF
[req]
prompt = no
distinguished_name = dn
attributes = attributes
string_mask = nombstr
utf8 = yes
[dn]
O = Müller
CN = device 1
unstructuredName = router
[attributes]
challengePassword = s3cret pass
EOF
req challenge-t61 -algorithm RSA -- -config "$work/challenge.cnf"

# What is refused
req sha1 -algorithm RSA -- $names -sha1
req md5 -algorithm RSA -- $names -md5
req ecdsa-sha1 $(ec P-256) -- $names -sha1
req pss -algorithm RSA -- $names -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32
req pss-key -algorithm RSA-PSS -- $names
req rsa1024 -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -- $names
req rsa2047 -algorithm RSA -pkeyopt rsa_keygen_bits:2047 -- $names
req rsa-e3 -algorithm RSA -pkeyopt rsa_keygen_pubexp:3 -- $names
req p192 $(ec P-192) -- $names
req explicit-curve $(ec P-256 explicit) -- $names
openssl ecparam -name prime256v1 -genkey -noout -conv_form compressed -out "$work/compressed.key"
openssl ec -in "$work/compressed.key" -conv_form compressed -out "$work/compressed2.key" 2>/dev/null
openssl req -new -key "$work/compressed2.key" -outform DER -out compressed-point.csr $names

# A certificate and a chain made by OpenSSL
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/ca.key" -subj "/O=Example/CN=Root" -days 3650 -set_serial 0x00c0ffee \
  -outform DER -out root.der 2>/dev/null
openssl x509 -inform DER -in root.der -out "$work/root.pem"
printf 'subjectAltName=DNS:www.example.com,email:a@example.com,URI:https://example.com/,IP:192.0.2.1,RID:1.2.3\nauthorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n' > "$work/ext"
openssl req -new -key "$work/p256.key" -subj "/CN=www.example.com" -out "$work/leaf.pem"
openssl x509 -req -in "$work/leaf.pem" -CA "$work/root.pem" -CAkey "$work/ca.key" -set_serial 0x1234 -days 30 -sha256 -extfile "$work/ext" \
  -outform DER -out leaf.der 2>/dev/null
cat "$work/root.pem" > chain.pem
openssl x509 -inform DER -in leaf.der -text >> chain.pem

# Keys: published here, so never to be used
cp "$work/p256.key" p256.key.pem
openssl ec -in "$work/p256.key" -out p256-traditional.key.pem 2>/dev/null
openssl pkey -in "$work/p256.key" -aes128 -passout pass:x -out p256-encrypted.key.pem
openssl pkey -in "$work/p192.key" -out p192.key.pem
