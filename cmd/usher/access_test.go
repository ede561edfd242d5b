package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestAccess: a token, and a user and password, keep others out.
func TestAccess(t *testing.T) {
	tests := []struct{ name, serve, wrong, right string }{
		{"token", "--token secret", "--token guess", "--token secret"},
		{"user", "--user ada --password secret", "--user ada --password guess", "--user ada --password secret"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			i := serveForTest(t, strings.Fields(tt.serve)...)
			for _, flags := range []string{"", tt.wrong} {
				code, _, said := usherRun(t, append(strings.Fields(flags), "status", "--nats", i.url)...)
				if code != exitFailed || !strings.Contains(said, "the server asks for other credentials: --token") {
					t.Errorf("status with %q: exit code %d\n%s", flags, code, said)
				}
			}
			out, _ := mustRun(t, append(strings.Fields(tt.right), "status", "--nats", i.url)...)
			if !strings.Contains(out, ": ready") {
				t.Errorf("status:\n%s", out)
			}
			mustRun(t, append(strings.Fields(tt.right), "publish", "u", `{"event":"E"}`, "--nats", i.url)...)
			mustRun(t, append(strings.Fields(tt.right), "get", "--nats", i.url)...)
		})
	}
}

// TestTLS: with a certificate the server may listen on every address, and a
// client that does not trust it is told so.
func TestTLS(t *testing.T) {
	cert, key := certificate(t)
	i := serveForTest(t, "--listen", "0.0.0.0:0", "--token", "secret", "--tls-cert", cert, "--tls-key", key)
	_, port, err := net.SplitHostPort(strings.TrimPrefix(strings.TrimPrefix(i.url, "nats://"), "tls://"))
	if err != nil {
		t.Fatalf("%s: %v", i.url, err)
	}
	url := "tls://127.0.0.1:" + port
	if code, _, said := usherRun(t, "status", "--token", "secret", "--nats", url); code != exitFailed || !strings.Contains(said, "certificate") {
		t.Errorf("status without the authority: exit code %d\n%s", code, said)
	}
	out, _ := mustRun(t, "status", "--token", "secret", "--tls-ca", cert, "--nats", url)
	if !strings.Contains(out, ": ready") {
		t.Errorf("status:\n%s", out)
	}
	mustRun(t, "apply", write(t, "buyers.yaml", buyersText), "--token", "secret", "--tls-ca", cert, "--nats", url)
}

// certificate makes a certificate for this machine, signed by itself.
func certificate(t *testing.T) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "usher test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, block := range map[string]*pem.Block{
		certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "PRIVATE KEY", Bytes: private},
	} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile
}
