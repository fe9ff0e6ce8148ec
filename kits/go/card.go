package cardlab

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// Card is a card and its reader. The names of states and faults are those of
// `cardlab card`. What is refused ends the test with an [Error].
type Card struct {
	// Number of its reader.
	Number int

	t      T
	client *http.Client
}

// View is what a reader and its card are at the moment.
type View struct {
	// Name is what programs see.
	Name string `json:"name"`
	// CardIs says where the card is: "in", "out" (beside the reader) or "unplugged".
	CardIs string `json:"card_is"`
	// Card is nil while it works, or waits for a touch.
	Card *CardView `json:"card"`
}

// CardView is what a card is at the moment.
type CardView struct {
	Profile   string   `json:"profile"`
	Serial    *uint32  `json:"serial"`
	Powered   bool     `json:"powered"`
	Selected  *string  `json:"selected"`
	PIN       *Tries   `json:"pin"`
	PUK       *Tries   `json:"puk"`
	AdminKey  *Tries   `json:"admin_key"`
	GlobalPIN *Tries   `json:"global_pin"`
	Touch     string   `json:"touch"`
	Pace      string   `json:"pace"`
	Faults    []string `json:"faults"`
	Undoable  int      `json:"undoable"`
}

// Tries of a secret; nil where the card does not count it.
type Tries struct {
	Left    int `json:"left"`
	Maximum int `json:"maximum"`
}

// Show tells where the card is, its counters, faults that wait.
func (c *Card) Show() View {
	c.t.Helper()
	var view View
	c.must(c.ask("GET", "", nil, &view))
	return view
}

// Reader is the reader's name, as programs see it.
func (c *Card) Reader() string {
	c.t.Helper()
	return c.Show().Name
}

// IsIn tells whether the card is in its reader.
func (c *Card) IsIn() bool {
	c.t.Helper()
	return c.Show().CardIs == "in"
}

// PINTries are the tries of the PIN that are left.
func (c *Card) PINTries() int {
	c.t.Helper()
	return c.tries("PIN", func(card *CardView) *Tries { return card.PIN })
}

// PUKTries are the tries of the PUK that are left.
func (c *Card) PUKTries() int {
	c.t.Helper()
	return c.tries("PUK", func(card *CardView) *Tries { return card.PUK })
}

// AdminTries are the tries of the administrator key that are left.
func (c *Card) AdminTries() int {
	c.t.Helper()
	return c.tries("administrator key", func(card *CardView) *Tries { return card.AdminKey })
}

func (c *Card) tries(what string, of func(*CardView) *Tries) int {
	c.t.Helper()
	card := c.Show().Card
	if card == nil {
		c.must(&Error{"the card works, or waits for a touch: its tries are not told meanwhile"})
	}
	tries := of(card)
	if tries == nil {
		c.must(&Error{"this card counts no tries of its " + what})
	}
	return tries.Left
}

// Insert puts the card in.
func (c *Card) Insert() {
	c.t.Helper()
	c.must(c.ask("POST", "/insert", nil, nil))
}

// Remove pulls the card out, also in the middle of a command.
func (c *Card) Remove() {
	c.t.Helper()
	c.must(c.ask("POST", "/remove", nil, nil))
}

// Unplug unplugs the reader with its card in it.
func (c *Card) Unplug() {
	c.t.Helper()
	c.must(c.ask("POST", "/unplug", nil, nil))
}

// Plug plugs the reader in; the card lies beside it.
func (c *Card) Plug() {
	c.t.Helper()
	c.must(c.ask("POST", "/plug", nil, nil))
}

// Reset is how a card is reset.
type Reset struct {
	// Cold takes its power away for a moment.
	Cold bool `json:"cold"`
	// USB resets its reader, as the system does.
	USB bool `json:"usb"`
}

// Reset resets the card, as another program does.
func (c *Card) Reset(how Reset) {
	c.t.Helper()
	c.must(c.ask("POST", "/reset", how, nil))
}

// Lock blocks the "pin", the "puk" or the "admin" key, as if all its tries had been spent.
func (c *Card) Lock(what string) {
	c.t.Helper()
	c.State(what + "-blocked")
}

// State brings the card to a state, such as "fresh" or "last-try".
func (c *Card) State(name string) {
	c.t.Helper()
	c.must(c.ask("PUT", "/state", map[string]string{"state": name}, nil))
}

// SetTries leaves so many tries of the "pin", the "puk" or the "admin" key.
func (c *Card) SetTries(what string, left int) {
	c.t.Helper()
	c.must(c.ask("PUT", "/state", map[string]int{what + "_left": left}, nil))
}

// Fault arms a fault, such as "remove-after,ins=87".
func (c *Card) Fault(fault string) {
	c.t.Helper()
	c.must(c.ask("POST", "/faults", map[string]string{"fault": fault}, nil))
}

// ClearFaults disarms all faults.
func (c *Card) ClearFaults() {
	c.t.Helper()
	c.must(c.ask("DELETE", "/faults", nil, nil))
}

// Touch touches the card that waits for it.
func (c *Card) Touch() {
	c.t.Helper()
	c.must(c.ask("POST", "/touch", nil, nil))
}

// SetTouch says how the card is touched: "auto", "never", "wait", "after=200ms".
func (c *Card) SetTouch(mode string) {
	c.t.Helper()
	c.must(c.ask("PUT", "/touch", map[string]string{"touch": mode}, nil))
}

// Pace says how long commands take: "off", "yubikey-5", or milliseconds: "any:10+sign:475".
func (c *Card) Pace(pace string) {
	c.t.Helper()
	c.must(c.ask("PUT", "/pace", map[string]string{"pace": pace}, nil))
}

// Wait waits until the card is "in", "out", "unplugged", or waits for a "touch".
func (c *Card) Wait(what string, limit time.Duration) {
	c.t.Helper()
	c.must(c.ask("GET", fmt.Sprintf("/wait?card=%s&limit=%d", url.QueryEscape(what), limit.Milliseconds()), nil, nil))
}

// Log has what came in, PINs and keys masked; name is a part of a command's name, or "".
func (c *Card) Log(name string) []map[string]any {
	c.t.Helper()
	var records []map[string]any
	query := ""
	if name != "" {
		query = "?name=" + url.QueryEscape(name)
	}
	c.must(c.ask("GET", "/log"+query, nil, &records))
	return records
}

// Undo takes the last commands back; the card is reset.
func (c *Card) Undo(count int) {
	c.t.Helper()
	c.must(c.ask("POST", "/undo", map[string]int{"count": count}, nil))
}

// Snapshot is the card's whole state as text, for [Card.Restore].
func (c *Card) Snapshot() string {
	c.t.Helper()
	var text string
	c.must(c.ask("POST", "/snapshot", map[string]string{"secrets": "clear"}, &text))
	return text
}

// Restore brings the card back to a snapshot.
func (c *Card) Restore(text string) {
	c.t.Helper()
	c.must(c.ask("POST", "/restore", map[string]string{"text": text}, nil))
}

func (c *Card) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatalf("%v", err)
	}
}

// ask asks the control socket; the answer, if it is asked for, is JSON, or text where into is a *string.
func (c *Card) ask(method, what string, body, into any) error {
	sent, err := json.Marshal(body)
	if err != nil {
		return err
	}
	if body == nil {
		sent = nil
	}
	request, err := http.NewRequest(method, fmt.Sprintf("http://cardlab/v1/readers/%d%s", c.Number, what), bytes.NewReader(sent))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := c.client.Do(request)
	if err != nil {
		return &Error{"the readers do not answer: " + err.Error()}
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		var problem struct{ Message string }
		if json.Unmarshal(text, &problem) != nil || problem.Message == "" {
			return &Error{string(text)}
		}
		return &Error{problem.Message}
	}
	switch into := into.(type) {
	case nil:
		return nil
	case *string:
		*into = string(text)
		return nil
	default:
		return json.Unmarshal(text, into)
	}
}

func client(socket string) *http.Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}
	return &http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}
}
