// The keys of one cluster: an authority of its own, one serving certificate that the API server, the
// controller manager, the scheduler and the webhooks share, and the key that signs service account tokens.
package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// A cluster lives for hours or days. A year is far beyond that, and short of what Go's verifier refuses.
const certificateLife = 365 * 24 * time.Hour

// runCerts writes ca.crt, tls.crt, tls.key, service-account.key and service-account.pub into a folder. The
// authority's own key is never written: nothing needs a second certificate.
func runCerts(arguments []string) error {
	if len(arguments) < 2 {
		return errUsage
	}
	directory := arguments[0]
	addresses := make([]net.IP, 0, len(arguments)-1)
	for _, argument := range arguments[1:] {
		address := net.ParseIP(argument)
		if address == nil {
			return fmt.Errorf("certs: %q is no IP address", argument)
		}
		addresses = append(addresses, address)
	}
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return err
	}

	authorityKey, err := newKey()
	if err != nil {
		return err
	}
	now := time.Now()
	authority := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "llama-operator local cluster"},
		NotBefore:             now.Add(-time.Hour),
		NotAfter:              now.Add(certificateLife),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		BasicConstraintsValid: true,
		IsCA:                  true,
	}
	authorityDER, err := x509.CreateCertificate(rand.Reader, authority, authority, authorityKey.Public(), authorityKey)
	if err != nil {
		return err
	}

	servingKey, err := newKey()
	if err != nil {
		return err
	}
	serving := &x509.Certificate{
		SerialNumber: big.NewInt(2),
		Subject:      pkix.Name{CommonName: "llama-operator local cluster, serving"},
		NotBefore:    authority.NotBefore,
		NotAfter:     authority.NotAfter,
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		IPAddresses:  addresses,
		DNSNames:     []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"},
	}
	servingDER, err := x509.CreateCertificate(rand.Reader, serving, authority, servingKey.Public(), authorityKey)
	if err != nil {
		return err
	}

	tokenKey, err := newKey()
	if err != nil {
		return err
	}
	tokenPublic, err := x509.MarshalPKIXPublicKey(tokenKey.Public())
	if err != nil {
		return err
	}

	if err := writePEM(directory, "ca.crt", 0o644, "CERTIFICATE", authorityDER); err != nil {
		return err
	}
	if err := writePEM(directory, "tls.crt", 0o644, "CERTIFICATE", servingDER); err != nil {
		return err
	}
	if err := writeKey(directory, "tls.key", servingKey); err != nil {
		return err
	}
	if err := writeKey(directory, "service-account.key", tokenKey); err != nil {
		return err
	}
	return writePEM(directory, "service-account.pub", 0o644, "PUBLIC KEY", tokenPublic)
}

func newKey() (crypto.Signer, error) {
	return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
}

func writeKey(directory, name string, key crypto.Signer) error {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	return writePEM(directory, name, 0o600, "PRIVATE KEY", der)
}

func writePEM(directory, name string, mode os.FileMode, kind string, der []byte) error {
	return os.WriteFile(filepath.Join(directory, name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), mode)
}
