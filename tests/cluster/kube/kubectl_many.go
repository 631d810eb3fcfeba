package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	kubectl "k8s.io/kubectl/pkg/cmd"
	"k8s.io/kubectl/pkg/cmd/util"
)

type question struct {
	Arguments []string `json:"arguments"`
	Input     string   `json:"input"`
}

type answer struct {
	Output string `json:"output"`
	Error  string `json:"error"`
	Code   int    `json:"code"`
}

type fatal struct {
	message string
	code    int
}

// kubectlMany runs kubectl for each question on standard input, in this one process: most of what
// kubectl costs is its start.
func kubectlMany() error {
	util.BehaviorOnFatal(func(message string, code int) { panic(fatal{message, code}) })
	questions, answers := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		var asked question
		if err := questions.Decode(&asked); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		told, err := ask(asked)
		if err != nil {
			return err
		}
		if err := answers.Encode(told); err != nil {
			return err
		}
	}
}

func ask(asked question) (told answer, err error) {
	input, writer, err := os.Pipe()
	if err != nil {
		return told, err
	}
	go func() {
		_, _ = io.WriteString(writer, asked.Input)
		_ = writer.Close()
	}()
	stdin := os.Stdin
	os.Stdin = input // kubectl reads files named - from there, whatever its streams are
	var output, errOutput bytes.Buffer
	defer func() {
		os.Stdin = stdin
		_ = input.Close()
		told = answer{output.String(), errOutput.String(), 0}
		switch why := recover().(type) {
		case nil:
		case fatal:
			told.Error, told.Code = told.Error+why.message, why.code
		default:
			told.Error, told.Code = fmt.Sprint(told.Error, why), 2
		}
	}()
	command := kubectl.NewKubectlCommand(kubectl.KubectlOptions{
		ConfigFlags: genericclioptions.NewConfigFlags(true),
		IOStreams:   genericiooptions.IOStreams{In: input, Out: &output, ErrOut: &errOutput},
	})
	command.SetArgs(asked.Arguments)
	command.SetOut(&output)
	command.SetErr(&errOutput)
	if err := command.Execute(); err != nil {
		panic(fatal{err.Error(), 1})
	}
	return told, nil
}
