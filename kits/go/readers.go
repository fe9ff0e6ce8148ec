// Package cardlab gives a test smart cards of its own, in readers that this
// process and the programs it starts see, and nothing else:
//
//	func TestLogin(t *testing.T) {
//		card := cardlab.NewCard(t, "yubikey-5.4,9a=new:p256")
//		card.State("last-try")
//		// .. the program under test enters a wrong PIN
//		if card.PINTries() != 0 {
//			t.Error("the card is not locked")
//		}
//	}
//
// It needs the program cardlab on the path, or named by the variable CARDLAB.
// The readers go when the test ends, and with the process however it ends. A
// test that fails logs what came in at its cards, PINs and keys masked.
//
// Packages that link libpcsclite, such as piv-go, see the readers made last.
// libpcsclite asks for its socket once a process: nothing may use PC/SC before
// the first NewCard, and tests with cards do not run in parallel to others of
// their package (T.Setenv sees to that); packages do.
package cardlab

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
)

const (
	socketVariable  = "PCSCLITE_CSOCK_NAME"
	controlVariable = "CARDLAB_CONTROL"
	cacheVariable   = "XDG_CACHE_HOME"
)

// What `cardlab exec` runs: it says where the readers are, and ends when
// nobody holds its standard input any more.
const untilClosed = `printf "%s\n" "$PCSCLITE_CSOCK_NAME" "$CARDLAB_CONTROL" "$XDG_CACHE_HOME"; read _; exit 0`

// T is what is needed of a test: *testing.T, *testing.B and others have it.
type T interface {
	Helper()
	Cleanup(func())
	Failed() bool
	Fatalf(format string, args ...any)
	Logf(format string, args ...any)
	Setenv(key, value string)
}

// Error is what cardlab refused, in its words.
type Error struct{ Message string }

func (e *Error) Error() string { return e.Message }

// Options are for all readers that are made together.
type Options struct {
	// Seed repeats every key, serial and challenge; 0 is none.
	Seed uint64
	// Trace is a file that every exchange is written to, as text or, by its
	// ending, as JSON lines (.jsonl) or for Wireshark (.pcapng).
	Trace string
}

// Readers are readers of a test's own.
type Readers struct {
	// Cards in the order in which they were asked for.
	Cards []*Card
	// Socket is where programs find the readers: PCSCLITE_CSOCK_NAME.
	Socket string
	// Control is the socket of `cardlab card` and of others: CARDLAB_CONTROL.
	Control string

	cache   string
	trace   string
	process *exec.Cmd
	input   io.Closer
	said    *os.File
	close   sync.Once
}

// NewCard makes one reader; see [NewReaders].
func NewCard(t T, card string) *Card {
	t.Helper()
	return NewReaders(t, card).Cards[0]
}

// NewReaders makes readers, each with a card such as
// "yubikey-5.4,9a=new:p256" or "gids,pin-tries=5". This process and its
// children see them until the test ends, which takes them away.
func NewReaders(t T, cards ...string) *Readers {
	t.Helper()
	return Options{}.NewReaders(t, cards...)
}

// NewReaders makes readers with these options.
func (o Options) NewReaders(t T, cards ...string) *Readers {
	t.Helper()
	if len(cards) == 0 {
		cards = []string{"nist-piv"}
	}
	readers, err := o.start(cards)
	if err != nil {
		t.Fatalf("%v", err)
	}
	for number := range cards {
		readers.Cards = append(readers.Cards, &Card{Number: number, t: t, client: client(readers.Control)})
	}
	stage, before, err := show(readers.Socket)
	if err != nil {
		readers.Close()
		t.Fatalf("%v", err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("what came in at the cards:\n%s", readers.Trace())
		}
		readers.Close()
		if err := point(stage, before); err != nil {
			t.Fatalf("%v", err)
		}
	})
	t.Setenv(socketVariable, stage)
	t.Setenv(controlVariable, readers.Control)
	t.Setenv(cacheVariable, readers.cache)
	return readers
}

func (o Options) start(cards []string) (*Readers, error) {
	program := os.Getenv("CARDLAB")
	if program == "" {
		program = "cardlab"
	}
	if _, err := exec.LookPath(program); err != nil {
		return nil, &Error{"there is no program 'cardlab' on the path; install it, or name it with the variable CARDLAB"}
	}
	arguments := []string{"exec", "--trace", "-"}
	if o.Trace != "" {
		arguments[2] = o.Trace
	}
	for _, card := range cards {
		arguments = append(arguments, "--card", card)
	}
	if o.Seed != 0 {
		arguments = append(arguments, "--seed", strconv.FormatUint(o.Seed, 10))
	}
	readers := &Readers{trace: o.Trace, process: exec.Command(program, append(arguments, "--", "sh", "-c", untilClosed)...)}
	input, err := readers.process.StdinPipe()
	if err != nil {
		return nil, err
	}
	output, err := readers.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	// A file without a name: what is written is there at once, and goes with the process.
	said, err := os.CreateTemp("", "cardlab-go-")
	if err != nil {
		return nil, err
	}
	os.Remove(said.Name())
	readers.input, readers.said, readers.process.Stderr = input, said, said
	if err := readers.process.Start(); err != nil {
		said.Close()
		return nil, err
	}
	lines := bufio.NewScanner(output)
	for _, line := range []*string{&readers.Socket, &readers.Control, &readers.cache} {
		if !lines.Scan() {
			input.Close()
			readers.process.Wait()
			defer said.Close()
			return nil, &Error{readers.words("cardlab did not start")}
		}
		*line = lines.Text()
	}
	return readers, nil
}

// Close takes the readers away before the test ends.
func (r *Readers) Close() {
	r.close.Do(func() {
		r.input.Close()
		r.process.Wait()
		r.said.Close()
	})
}

// Trace is what came in at all cards, as text; PINs and keys are masked. With
// [Options].Trace it says where that is recorded.
func (r *Readers) Trace() string {
	if r.trace != "" {
		return "recorded in " + r.trace
	}
	return r.words("nothing")
}

// Environment is for the Env of a program that is to see these readers, whichever were made since.
func (r *Readers) Environment() []string {
	return append(os.Environ(), socketVariable+"="+r.Socket, controlVariable+"="+r.Control, cacheVariable+"="+r.cache)
}

func (r *Readers) words(none string) string {
	text, err := io.ReadAll(io.NewSectionReader(r.said, 0, 1<<40))
	if words := strings.TrimSpace(string(text)); err == nil && words != "" {
		return words
	}
	return none
}

// The one path where this process looks for readers; it points to the readers of the moment.
var stage struct {
	sync.Mutex
	path string
}

// show lets the path point to a socket. It gives the path, and what it pointed to before.
func show(socket string) (path, before string, err error) {
	stage.Lock()
	defer stage.Unlock()
	if stage.path == "" {
		directory, err := os.MkdirTemp("", "cardlab-go-")
		if err != nil {
			return "", "", err
		}
		stage.path = filepath.Join(directory, "s")
	} else if err := os.Mkdir(filepath.Dir(stage.path), 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return "", "", err
	}
	before, err = os.Readlink(stage.path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", "", err
	}
	return stage.path, before, point(stage.path, socket)
}

// point lets a path point to a socket, or with "" to nothing: then its directory goes as well.
func point(path, socket string) error {
	if socket == "" {
		return os.RemoveAll(filepath.Dir(path))
	}
	next := path + ".new"
	if err := os.Symlink(socket, next); err != nil {
		return err
	}
	return os.Rename(next, path)
}
