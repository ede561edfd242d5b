package embedded_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/usher-audiences/usher/bus/embedded"
	"github.com/usher-audiences/usher/bus/subject"
)

func start(t *testing.T, cfg embedded.Config) *embedded.Server {
	t.Helper()
	s, err := embedded.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func shutdown(t *testing.T, s *embedded.Server) {
	t.Helper()
	if err := s.Shutdown(); err != nil {
		t.Error(err)
	}
}

// TestKeepsData stores through the mapping, restarts and finds it again.
func TestKeepsData(t *testing.T) {
	cfg := embedded.Config{Data: filepath.Join(t.TempDir(), "new", "data"), Listen: "127.0.0.1:0", Partitions: 2}
	s := start(t, cfg)
	nc, err := nats.Connect(s.ClientURL())
	if err != nil {
		t.Fatal(err)
	}
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "ALL", Subjects: []string{"usher.log.>"}}); err != nil {
		t.Fatal(err)
	}
	if ack, err := js.Publish(t.Context(), subject.Events("u_42"), []byte("{}")); err != nil || ack.Stream != "ALL" {
		t.Fatalf("published with %+v, %v", ack, err)
	}
	nc.Close()
	shutdown(t, s)

	cfg.Listen = "" // in-process only
	s = start(t, cfg)
	defer shutdown(t, s)
	if nc, err = nats.Connect("", nats.InProcessServer(s.InProcess())); err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if js, err = jetstream.New(nc); err != nil {
		t.Fatal(err)
	}
	stream, err := js.Stream(t.Context(), "ALL")
	if err != nil {
		t.Fatal(err)
	}
	m, err := stream.GetMsg(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if want := subject.Log(subject.Partition("u_42", 2), subject.KindEvents); m.Subject != want {
		t.Errorf("stored on %s, want %s", m.Subject, want)
	}
}

func TestSecondProcessIsRefused(t *testing.T) {
	cfg := embedded.Config{Data: t.TempDir()}
	s := start(t, cfg)
	if _, err := embedded.Start(cfg); !errors.Is(err, embedded.ErrInUse) || !strings.Contains(err.Error(), cfg.Data) {
		t.Errorf("a second server: %v, want %v naming the directory", err, embedded.ErrInUse)
	}
	shutdown(t, s)
	shutdown(t, start(t, cfg))
}

func TestExposureIsRefused(t *testing.T) {
	cert, key := certificate(t)
	for name, tt := range map[string]struct {
		cfg  embedded.Config
		want bool
	}{
		"nothing":         {embedded.Config{Listen: "0.0.0.0:0"}, true},
		"every interface": {embedded.Config{Listen: ":0", Token: "t"}, true},
		"no TLS":          {embedded.Config{Listen: "0.0.0.0:0", User: "u", Password: "p"}, true},
		"no one to ask":   {embedded.Config{Listen: "0.0.0.0:0", TLSCert: cert, TLSKey: key}, true},
		"both":            {embedded.Config{Listen: "127.0.0.1:0", Token: "t", TLSCert: cert, TLSKey: key}, false},
		"loopback":        {embedded.Config{Listen: "localhost:0"}, false},
	} {
		tt.cfg.Data = t.TempDir()
		s, err := embedded.Start(tt.cfg)
		if got := errors.Is(err, embedded.ErrExposed); got != tt.want || !got && err != nil {
			t.Errorf("%s: %v, want refused %t", name, err, tt.want)
		}
		if s != nil {
			shutdown(t, s)
		}
	}
}

func TestConfigIsChecked(t *testing.T) {
	for name, cfg := range map[string]embedded.Config{
		"no directory":     {},
		"address":          {Data: t.TempDir(), Listen: "4222"},
		"port":             {Data: t.TempDir(), Listen: "127.0.0.1:99999"},
		"half of TLS":      {Data: t.TempDir(), TLSCert: "x"},
		"no password":      {Data: t.TempDir(), User: "u"},
		"missing files":    {Data: t.TempDir(), Listen: "127.0.0.1:0", TLSCert: "x", TLSKey: "y"},
		"CA alone":         {Data: t.TempDir(), TLSCA: "x"},
		"partitions":       {Data: t.TempDir(), Partitions: subject.PartitionsMax + 1},
		"directory a file": {Data: file(t)},
	} {
		if s, err := embedded.Start(cfg); err == nil {
			t.Errorf("%s: started", name)
			shutdown(t, s)
		}
	}
}

// TestAuthentication lets in who knows the token or the password, over TLS.
func TestAuthentication(t *testing.T) {
	cert, key := certificate(t)
	pool := x509.NewCertPool()
	text, err := os.ReadFile(cert)
	if err != nil || !pool.AppendCertsFromPEM(text) {
		t.Fatalf("certificate %q: %v", text, err)
	}
	secure := nats.Secure(&tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12})
	s := start(t, embedded.Config{Data: t.TempDir(), Listen: "127.0.0.1:0", User: "u", Password: "p", TLSCert: cert, TLSKey: key})
	defer shutdown(t, s)
	for name, tt := range map[string]struct {
		opts []nats.Option
		want bool
	}{
		"right":          {[]nats.Option{secure, nats.UserInfo("u", "p")}, true},
		"wrong password": {[]nats.Option{secure, nats.UserInfo("u", "x")}, false},
		"nobody":         {[]nats.Option{secure}, false},
	} {
		nc, err := nats.Connect(s.ClientURL(), tt.opts...)
		if (err == nil) != tt.want {
			t.Errorf("%s: connected with %v, want %t", name, err, tt.want)
		}
		if nc != nil {
			nc.Close()
		}
	}
	nc, err := nats.Connect("", nats.InProcessServer(s.InProcess()), nats.UserInfo("u", "p"))
	if err != nil {
		t.Fatalf("in-process: %v", err)
	}
	nc.Close()
}

func TestUsedPortIsReported(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if s, err := embedded.Start(embedded.Config{Data: t.TempDir(), Listen: l.Addr().String()}); err == nil {
		t.Error("started on a used port")
		shutdown(t, s)
	}
}

func file(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// certificate makes one for this machine that signs itself.
func certificate(t *testing.T) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		DNSNames: []string{"localhost"},
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	for path, block := range map[string]*pem.Block{
		certFile: {Type: "CERTIFICATE", Bytes: cert}, keyFile: {Type: "PRIVATE KEY", Bytes: private},
	} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile
}
