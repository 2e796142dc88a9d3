import java.io.OutputStream;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.Provider;
import java.security.Security;
import java.security.cert.CertificateFactory;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import javax.net.ssl.X509TrustManager;
import javax.security.auth.x500.X500Principal;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.est.CSRRequestResponse;
import org.bouncycastle.est.ESTAuth;
import org.bouncycastle.est.ESTException;
import org.bouncycastle.est.ESTService;
import org.bouncycastle.est.EnrollmentResponse;
import org.bouncycastle.est.jcajce.ChannelBindingProvider;
import org.bouncycastle.est.jcajce.JcaHttpAuthBuilder;
import org.bouncycastle.est.jcajce.JcaJceUtils;
import org.bouncycastle.est.jcajce.JsseESTServiceBuilder;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.jsse.BCSSLSocket;
import org.bouncycastle.jsse.provider.BouncyCastleJsseProvider;
import org.bouncycastle.operator.ContentSigner;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.pkcs.PKCS10CertificationRequestBuilder;
import org.bouncycastle.pkcs.jcajce.JcaPKCS10CertificationRequestBuilder;

/**
 * BouncyCastle's EST client (org.bouncycastle.est) at the command line: OPERATION and NAME=VALUE words.
 *
 * Operations: cacerts, csrattrs, enroll, reenroll, pop (simpleenroll with the channel binding as challengePassword), serverkeygen.
 * Words: server, label, root (PEM), tls (TLSv1.2, TLSv1.3), subject, key (EC, RSA), user, password, out (PKCS #12, password "est"), identity
 * (PKCS #12 to show in the handshake). Prints NAME=VALUE lines; what the server refused is printed as status and text, and ends with status 3.
 */
final class BouncyCastle {
    private static final char[] SECRET = "est".toCharArray();
    private static final Provider CRYPTO = new BouncyCastleProvider(), TLS = new BouncyCastleJsseProvider(CRYPTO);

    public static void main(String[] words) throws Exception {
        Security.insertProviderAt(CRYPTO, 1);
        Security.insertProviderAt(TLS, 2);
        Map<String, String> said = new HashMap<>();
        for (int i = 1; i < words.length; i++) said.put(words[i].split("=", 2)[0], words[i].split("=", 2)[1]);
        try {
            carryOut(words[0], said);
        } catch (ESTException refused) {
            System.out.println("status=" + refused.getStatusCode());
            System.out.println("text=" + refused.getMessage().replace('\n', ' '));
            System.exit(3);
        }
        System.exit(0);
    }

    private static void carryOut(String operation, Map<String, String> said) throws Exception {
        ESTService service = service(said);
        switch (operation) {
            case "cacerts":
                for (X509CertificateHolder each : ESTService.storeToArray(service.getCACerts().getCertificateStore())) System.out.println("subject=" + each.getSubject());
                return;
            case "csrattrs":
                CSRRequestResponse answer = service.getCSRAttributes();
                if (answer.hasAttributesResponse())
                    for (ASN1ObjectIdentifier each : answer.getAttributesResponse().getRequirements()) System.out.println("asks=" + each);
                return;
            default:
                enroll(operation, service, said);
        }
    }

    private static ESTService service(Map<String, String> said) throws Exception {
        CertificateFactory factory = CertificateFactory.getInstance("X.509");
        X509Certificate root = (X509Certificate) factory.generateCertificate(Files.newInputStream(Path.of(said.get("root"))));
        Set<TrustAnchor> anchors = Collections.singleton(new TrustAnchor(root, null));
        X509TrustManager[] judges = JcaJceUtils.getCertPathTrustManager(anchors, null);
        JsseESTServiceBuilder builder = new JsseESTServiceBuilder(said.get("server"), judges);
        builder.withProvider(TLS).withTLSVersion(said.getOrDefault("tls", "TLSv1.3")).withTimeout(60_000);
        builder.withChannelBindingProvider(new Binding());
        builder.withFilterCipherSuites(false);
        builder.withLabel(said.get("label"));
        if (said.containsKey("identity")) {
            KeyStore store = KeyStore.getInstance("PKCS12", CRYPTO);
            store.load(Files.newInputStream(Path.of(said.get("identity"))), SECRET);
            builder.withKeyManagers(JcaJceUtils.createKeyManagerFactory("X.509", "BCJSSE", store, SECRET).getKeyManagers());
        }
        return builder.build();
    }

    private static void enroll(String operation, ESTService service, Map<String, String> said) throws Exception {
        boolean ec = !"RSA".equals(said.get("key"));
        KeyPairGenerator maker = KeyPairGenerator.getInstance(ec ? "EC" : "RSA", CRYPTO);
        maker.initialize(ec ? 256 : 2048);
        KeyPair pair = maker.generateKeyPair();
        ContentSigner signer = new JcaContentSignerBuilder(ec ? "SHA256withECDSA" : "SHA256withRSA").setProvider(CRYPTO).build(pair.getPrivate());
        PKCS10CertificationRequestBuilder request = new JcaPKCS10CertificationRequestBuilder(new X500Principal(said.get("subject")), pair.getPublic());
        ESTAuth user = said.containsKey("user") ? new JcaHttpAuthBuilder(null, said.get("user"), said.get("password").toCharArray()).setProvider(CRYPTO).build() : null;
        EnrollmentResponse answer;
        if (operation.equals("pop")) answer = service.simpleEnrollPoP(false, request, signer, user);
        else if (operation.equals("serverkeygen")) answer = service.simpleEnrollWithServersideCreation(request.build(signer), user);
        else answer = service.simpleEnroll(operation.equals("reenroll"), request.build(signer), user);
        if (!answer.isCompleted()) {
            System.out.println("pending=" + (answer.getNotBefore() - System.currentTimeMillis()) / 1000);
            return;
        }
        X509CertificateHolder[] found = ESTService.storeToArray(answer.getStore());
        System.out.println("certificates=" + found.length);
        System.out.println("subject=" + found[0].getSubject());
        System.out.println("serial=" + found[0].getSerialNumber().toString(16));
        if (answer.getPrivateKeyInfo() != null) System.out.println("key=" + answer.getPrivateKeyInfo().getPrivateKeyAlgorithm().getAlgorithm());
        if (said.containsKey("out")) write(said.get("out"), pair, new JcaX509CertificateConverter().getCertificate(found[0]));
    }

    private static void write(String file, KeyPair pair, X509Certificate certificate) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12", CRYPTO);
        store.load(null, null);
        store.setKeyEntry("device", pair.getPrivate(), SECRET, new X509Certificate[] {certificate});
        try (OutputStream out = Files.newOutputStream(Path.of(file))) {
            store.store(out, SECRET);
        }
    }

    /** tls-unique, which only BouncyCastle's own TLS knows. */
    private static final class Binding implements ChannelBindingProvider {
        @Override public boolean canAccessChannelBinding(Socket socket) {
            return socket instanceof BCSSLSocket;
        }

        @Override public byte[] getChannelBinding(Socket socket, String kind) {
            return ((BCSSLSocket) socket).getConnection().getChannelBinding(kind);
        }
    }
}
