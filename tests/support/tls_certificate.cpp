// SPDX-License-Identifier: Apache-2.0
#include "support/tls_certificate.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>

namespace nerve::test {
namespace {

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
  void operator()(std::FILE* file) const { std::fclose(file); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

void require(bool succeeded, const std::string& what) {
  if (!succeeded) throw std::runtime_error("cannot " + what);
}

Owned<std::FILE> create_file(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  require(descriptor >= 0, "create " + path.string());
  return Owned<std::FILE>(::fdopen(descriptor, "w"));
}

void add_extension(X509* certificate, int kind, const char* value) {
  const Owned<X509_EXTENSION> extension(X509V3_EXT_conf_nid(nullptr, nullptr, kind, value));
  require(extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1,
          "add an extension to a certificate");
}

Owned<X509> make_certificate(EVP_PKEY* key) {
  constexpr long day_s = 24L * 60 * 60;
  Owned<X509> certificate(X509_new());
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -day_s);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), day_s);
  X509_set_pubkey(certificate.get(), key);
  X509_NAME* name = X509_get_subject_name(certificate.get());
  const unsigned char common_name[] = "localhost";
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, common_name, -1, -1, 0);
  X509_set_issuer_name(certificate.get(), name);
  add_extension(certificate.get(), NID_basic_constraints, "critical,CA:TRUE");
  add_extension(certificate.get(), NID_subject_alt_name, "IP:127.0.0.1,DNS:localhost");
  require(X509_sign(certificate.get(), key, EVP_sha256()) > 0, "sign a certificate");
  return certificate;
}

}  // namespace

void write_tls_certificate(const std::filesystem::path& certificate, const std::filesystem::path& key) {
  const Owned<EVP_PKEY> new_key(EVP_EC_gen("P-256"));
  require(new_key != nullptr, "make a key");
  const Owned<X509> new_certificate = make_certificate(new_key.get());
  require(
      PEM_write_PrivateKey(create_file(key).get(), new_key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1,
      "write " + key.string());
  require(PEM_write_X509(create_file(certificate).get(), new_certificate.get()) == 1,
          "write " + certificate.string());
}

}  // namespace nerve::test
