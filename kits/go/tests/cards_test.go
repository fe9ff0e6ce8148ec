// The kit, with piv-go as the program that uses the cards.
package tests

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	cardlab "github.com/cardlab/cardlab/kits/go"
	"github.com/go-piv/piv-go/piv"
)

func open(t *testing.T, reader string) *piv.YubiKey {
	t.Helper()
	key, err := piv.Open(reader)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { key.Close() })
	return key
}

func TestLockPullAndPutBack(t *testing.T) {
	card := cardlab.NewCard(t, "yubikey-5.4")
	key := open(t, card.Reader())
	for left := 2; left >= 0; left-- {
		var wrong piv.AuthErr
		if err := key.SetPIN("999999", "123456"); !errors.As(err, &wrong) || wrong.Retries != left {
			t.Fatalf("%v instead of %d tries", err, left)
		}
	}
	if left := card.PINTries(); left != 0 {
		t.Fatalf("%d tries left", left)
	}
	card.Remove()
	if _, err := key.Retries(); err == nil {
		t.Fatal("a card that is not there answers")
	}
	key.Close()
	card.Insert()
	key = open(t, card.Reader())
	// Still blocked: the right PIN is not even compared.
	if err := key.SetPIN("123456", "654321"); err == nil || !strings.Contains(err.Error(), "blocked") {
		t.Fatal(err)
	}
	if err := key.Unblock("12345678", "654321"); err != nil {
		t.Fatal(err)
	}
	if left := card.PINTries(); left != 3 {
		t.Fatalf("%d tries left", left)
	}
	card.Undo(2)
	if left := card.PINTries(); left != 0 {
		t.Fatalf("%d tries left where the unblocking was taken back", left)
	}
}

func TestEachTestHasReadersOfItsOwn(t *testing.T) {
	seen := func(t *testing.T, wanted ...string) {
		t.Helper()
		if cards, err := piv.Cards(); err != nil || !reflect.DeepEqual(cards, wanted) {
			t.Fatalf("%v, %v instead of %v", cards, err, wanted)
		}
	}
	readers := cardlab.NewReaders(t, "nist-piv,name=One", "gids,name=Two")
	seen(t, "One 00 00", "Two 01 00")
	readers.Cards[0].Unplug()
	seen(t, "Two 01 00")
	t.Run("another", func(t *testing.T) {
		card := cardlab.NewCard(t, "yubikey-5.4,name=Three")
		seen(t, "Three 00 00")
		list := exec.Command("opensc-tool", "-l")
		if told, err := list.Output(); err != nil || !strings.Contains(string(told), card.Reader()) {
			t.Fatalf("%s %v", told, err)
		}
		list = exec.Command("opensc-tool", "-l")
		list.Env = readers.Environment()
		if told, err := list.Output(); err != nil || !strings.Contains(string(told), "Two 01 00") {
			t.Fatalf("%s %v", told, err)
		}
	})
	seen(t, "Two 01 00")
	readers.Cards[0].Plug()
	if readers.Cards[0].IsIn() {
		t.Fatal("a card is in a reader that was just plugged in")
	}
}

func TestKeysAndCertificates(t *testing.T) {
	card := cardlab.NewCard(t, "yubikey-5.4,9a=new:p256")
	key := open(t, card.Reader())
	certificate, err := key.Certificate(piv.SlotAuthentication)
	if err != nil {
		t.Fatal(err)
	}
	private, err := key.PrivateKey(piv.SlotAuthentication, certificate.PublicKey, piv.KeyAuth{PIN: "123456", PINPolicy: piv.PINPolicyOnce})
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256([]byte("words"))
	signature, err := private.(crypto.Signer).Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil || !ecdsa.VerifyASN1(certificate.PublicKey.(*ecdsa.PublicKey), digest[:], signature) {
		t.Fatalf("%x %v", signature, err)
	}
	if len(card.Log("VERIFY")) == 0 {
		t.Fatal("the PIN is not in the log")
	}
}

func TestFaultsSnapshotsAndWaiting(t *testing.T) {
	card := cardlab.NewCard(t, "gids")
	before := card.Snapshot()
	card.SetTries("pin", 1)
	if left := card.PINTries(); left != 1 {
		t.Fatalf("%d tries left", left)
	}
	card.Restore(before)
	if left := card.PINTries(); left != 3 {
		t.Fatalf("%d tries left", left)
	}
	card.Fault("remove-before,nth=3")
	if faults := card.Show().Card.Faults; !reflect.DeepEqual(faults, []string{"remove-before,nth=3"}) {
		t.Fatal(faults)
	}
	card.ClearFaults()
	go card.Remove()
	card.Wait("out", 10*time.Second)
	card.Insert()
	card.Reset(cardlab.Reset{Cold: true})
	card.Lock("admin")
	if left := card.AdminTries(); left != 0 {
		t.Fatalf("%d tries left", left)
	}
	card.State("fresh")
}

func TestTouchAndPace(t *testing.T) {
	card := cardlab.NewCard(t, "yubikey-5.4")
	card.SetTouch("wait")
	card.Pace("any:1")
	key := open(t, card.Reader())
	touched := piv.Key{Algorithm: piv.AlgorithmEC256, PINPolicy: piv.PINPolicyNever, TouchPolicy: piv.TouchPolicyAlways}
	public, err := key.GenerateKey(piv.DefaultManagementKey, piv.SlotAuthentication, touched)
	if err != nil {
		t.Fatal(err)
	}
	private, err := key.PrivateKey(piv.SlotAuthentication, public, piv.KeyAuth{PINPolicy: piv.PINPolicyNever})
	if err != nil {
		t.Fatal(err)
	}
	signed := make(chan error)
	go func() {
		_, err := private.(crypto.Signer).Sign(rand.Reader, make([]byte, 32), crypto.SHA256)
		signed <- err
	}()
	card.Wait("touch", 10*time.Second)
	card.Touch()
	if err := <-signed; err != nil {
		t.Fatal(err)
	}
}

// A test that is watched: it may fail without failing the one that watches.
type watched struct {
	*testing.T
	failed  bool
	said    []string
	cleanup []func()
}

func (w *watched) Cleanup(f func()) { w.cleanup = append(w.cleanup, f) }
func (w *watched) Failed() bool     { return w.failed }
func (w *watched) Logf(format string, values ...any) {
	w.said = append(w.said, fmt.Sprintf(format, values...))
}
func (w *watched) Fatalf(format string, values ...any) {
	w.failed = true
	w.Logf(format, values...)
	runtime.Goexit()
}

// run runs a test to its end and gives what it said.
func run(t *testing.T, test func(cardlab.T)) string {
	w := &watched{T: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			for i := len(w.cleanup) - 1; i >= 0; i-- {
				w.cleanup[i]()
			}
		}()
		test(w)
	}()
	<-done
	return strings.Join(w.said, "\n")
}

func TestMistakesAreSaid(t *testing.T) {
	for wanted, mistake := range map[string]func(cardlab.T){
		"no profile named 'sim'":                    func(t cardlab.T) { cardlab.NewCard(t, "sim") },
		"no fault named 'fire'":                     func(t cardlab.T) { cardlab.NewCard(t, "gids").Fault("fire") },
		"it did not happen":                         func(t cardlab.T) { cardlab.NewCard(t, "gids").Wait("out", time.Millisecond) },
		"this card counts no tries of its PUK":      func(t cardlab.T) { cardlab.NewCard(t, "gids").PUKTries() },
		"no state named 'door-blocked'":             func(t cardlab.T) { cardlab.NewCard(t, "gids").Lock("door") },
		"the readers do not answer":                 func(t cardlab.T) { r := cardlab.NewReaders(t); r.Close(); r.Cards[0].Insert() },
		"there is no program 'cardlab' on the path": func(t cardlab.T) { t.Setenv("CARDLAB", "/nowhere"); cardlab.NewCard(t, "gids") },
	} {
		program := os.Getenv("CARDLAB")
		if said := run(t, mistake); !strings.Contains(said, wanted) {
			t.Errorf("%q is not in %q", wanted, said)
		}
		os.Setenv("CARDLAB", program)
	}
	if cards, err := piv.Cards(); err == nil {
		t.Errorf("readers of another test are left: %v", cards)
	}
}

func TestAFailureHasWhatCameIn(t *testing.T) {
	said := run(t, func(t cardlab.T) {
		card := cardlab.NewCard(t, "yubikey-5.4")
		key, err := piv.Open(card.Reader())
		if err != nil {
			t.Fatalf("%v", err)
		}
		defer key.Close()
		key.SetPIN("999999", "123456")
		t.Fatalf("the test's own words")
	})
	for _, part := range []string{"the test's own words", "what came in at the cards:", "CHANGE REFERENCE DATA", "< 63 C2"} {
		if !strings.Contains(said, part) {
			t.Errorf("%q is not in %q", part, said)
		}
	}
	if strings.Contains(said, "39 39 39") {
		t.Errorf("the PIN is in %q", said)
	}
	file := filepath.Join(t.TempDir(), "trace.jsonl")
	said = run(t, func(t cardlab.T) {
		cardlab.Options{Seed: 7, Trace: file}.NewReaders(t, "gids")
		t.Fatalf("the test's own words")
	})
	if trace, err := os.ReadFile(file); err != nil || !strings.Contains(said, "recorded in "+file) {
		t.Errorf("%s, %v: %s", trace, err, said)
	}
}

func TestReadersGoWithTheProcessThatMadeThem(t *testing.T) {
	if os.Getenv("MAKER") != "" {
		fmt.Println(cardlab.NewReaders(t).Control)
		os.Stdout.Sync()
		io.Copy(io.Discard, os.Stdin)
		return
	}
	maker := exec.Command(os.Args[0], "-test.run", "^TestReadersGoWithTheProcessThatMadeThem$")
	maker.Env = append(os.Environ(), "MAKER=1", "TMPDIR="+t.TempDir())
	input, _ := maker.StdinPipe()
	defer input.Close()
	output, err := maker.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := maker.Start(); err != nil {
		t.Fatal(err)
	}
	var path string
	if _, err := fmt.Fscanln(output, &path); err != nil {
		t.Fatal(err)
	}
	control, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer control.Close()
	maker.Process.Kill()
	maker.Wait()
	if n, err := control.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Fatal("the readers are still there")
	}
	if _, err := os.Stat(filepath.Dir(path)); err == nil {
		t.Fatal("their directory is left")
	}
}
