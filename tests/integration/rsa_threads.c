/* LD_PRELOAD: notes in the file RSA_THREADS which thread carries out each operation with an RSA key, and each step of a
   content encryption (CBC; TLS 1.3 and the sealed secrets of the store use other modes): "FUNCTION THREAD" a line. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void note(const char *function) {
    char thread[32] = "", line[128];
    const char *name = getenv("RSA_THREADS");
    if (name == NULL) return;
    pthread_getname_np(pthread_self(), thread, sizeof thread);
    const int size = snprintf(line, sizeof line, "%s %s\n", function, thread);
    const int fd = open(name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, line, (size_t)size) != size) abort();
    close(fd);
}

static void note_key(const char *function, EVP_PKEY_CTX *context) {
    EVP_PKEY *key = context == NULL ? NULL : EVP_PKEY_CTX_get0_pkey(context);
    if (key != NULL && EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA) note(function);
}

static void note_mode(const char *function, const EVP_CIPHER_CTX *context) {
    const EVP_CIPHER *cipher = EVP_CIPHER_CTX_get0_cipher(context);
    if (cipher != NULL && EVP_CIPHER_get_mode(cipher) == EVP_CIPH_CBC_MODE) note(function);
}

#define REAL(function) ((__typeof__(&function))dlsym(RTLD_NEXT, #function))

int EVP_DigestSign(EVP_MD_CTX *c, unsigned char *out, size_t *size, const unsigned char *data, size_t n) {
    if (out != NULL) note_key("sign", EVP_MD_CTX_get_pkey_ctx(c));
    return REAL(EVP_DigestSign)(c, out, size, data, n);
}
int EVP_DigestVerify(EVP_MD_CTX *c, const unsigned char *signature, size_t size, const unsigned char *data, size_t n) {
    note_key("verify", EVP_MD_CTX_get_pkey_ctx(c));
    return REAL(EVP_DigestVerify)(c, signature, size, data, n);
}
int EVP_PKEY_decrypt(EVP_PKEY_CTX *c, unsigned char *out, size_t *size, const unsigned char *in, size_t n) {
    note_key("decrypt", c);
    return REAL(EVP_PKEY_decrypt)(c, out, size, in, n);
}
int EVP_PKEY_encrypt(EVP_PKEY_CTX *c, unsigned char *out, size_t *size, const unsigned char *in, size_t n) {
    if (out != NULL) note_key("encrypt", c);
    return REAL(EVP_PKEY_encrypt)(c, out, size, in, n);
}
int EVP_EncryptUpdate(EVP_CIPHER_CTX *c, unsigned char *out, int *size, const unsigned char *in, int n) {
    note_mode("encrypt_content", c);
    return REAL(EVP_EncryptUpdate)(c, out, size, in, n);
}
int EVP_DecryptUpdate(EVP_CIPHER_CTX *c, unsigned char *out, int *size, const unsigned char *in, int n) {
    note_mode("decrypt_content", c);
    return REAL(EVP_DecryptUpdate)(c, out, size, in, n);
}
