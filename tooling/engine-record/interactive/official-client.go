// The official client as a library, without a front end: one session that asks documents one after the other. The text ID in one
// stands for the first text in the answer to the one before.
//
// Built inside the source tree of the version that it belongs to:
//
//	echo "{\"Replace\":{\"$PWD/cmd/officialclient/main.go\":\"PATH_OF_THIS_FILE\"}}" > /tmp/overlay.json
//	go build -mod mod -overlay /tmp/overlay.json -ldflags "-X github.com/dagger/dagger/engine.Version=VERSION" -o OFFICIAL_CLIENT ./cmd/officialclient
//
// Terminals are this process's own. Prompts are answered with ANSWERS, one after the other, separated by |. PIPE joins a pipe to
// standard input and output.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"github.com/charmbracelet/huh"
	"github.com/dagger/dagger/engine/client"
	"golang.org/x/term"
)

type prompts struct{ answers []string }

func (p *prompts) HandlePrompt(_ context.Context, title, prompt string, dest any) error {
	asked, _ := json.Marshal([]string{title, prompt})
	fmt.Fprintf(os.Stderr, "asked %s\n", asked)
	answer := p.answers[0]
	if len(p.answers) > 1 {
		p.answers = p.answers[1:]
	}
	switch into := dest.(type) {
	case *bool:
		*into = answer == "yes"
	case *string:
		*into = answer
	}
	return nil
}

func (*prompts) HandleForm(context.Context, *huh.Form) error { return nil }

var terminal sync.Mutex

// What the CLI does: one shell at a time, on a raw terminal.
func withRawTerminal(work func(stdin io.Reader, stdout, stderr io.Writer) error) error {
	terminal.Lock()
	defer terminal.Unlock()
	state, err := term.MakeRaw(int(os.Stdin.Fd()))
	if err != nil {
		return err
	}
	defer term.Restore(int(os.Stdin.Fd()), state)
	return work(os.Stdin, os.Stdout, os.Stderr)
}

func main() {
	params := client.Params{RunnerHost: os.Getenv("_EXPERIMENTAL_DAGGER_RUNNER_HOST"), Interactive: os.Getenv("INTERACTIVE") != ""}
	params.WithTerminal = withRawTerminal
	// As the CLI reads it, for all of its commands.
	if allowed := os.Getenv("DAGGER_ALLOW_LLM"); allowed != "" {
		params.AllowedLLMModules = strings.Split(allowed, ",")
	}
	if answers, ok := os.LookupEnv("ANSWERS"); ok {
		params.PromptHandler = &prompts{strings.Split(answers, "|")}
	}
	if os.Getenv("PIPE") != "" {
		params.Stdin, params.Stdout = os.Stdin, os.Stdout
	}
	ctx := context.Background()
	session, err := client.Connect(ctx, params)
	if err != nil {
		panic(err)
	}
	defer session.Close()
	first := ""
	for _, file := range os.Args[1:] {
		document, err := os.ReadFile(file)
		if err != nil {
			panic(err)
		}
		var data any
		if err := session.Do(ctx, strings.ReplaceAll(string(document), "ID", first), "", nil, &data); err != nil {
			fmt.Fprintln(os.Stderr, "error:", err)
			return
		}
		first = firstText(data)
		answer, _ := json.Marshal(data)
		fmt.Fprintln(os.Stderr, "\n"+string(answer))
	}
}

func firstText(value any) string {
	if text, ok := value.(string); ok {
		return text
	}
	object, _ := value.(map[string]any)
	for _, field := range object {
		if text := firstText(field); text != "" {
			return text
		}
	}
	return ""
}
