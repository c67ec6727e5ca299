package main

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
)

// Failpoint is the name under which gofail's HTTP endpoint lists the marker.
const Failpoint = "walBeforeFdatasync"

// mark returns source with the failpoint's comment on a line of its own before the timed fsync; nothing else changes.
// The filename is only for messages.
func mark(filename string, source []byte) ([]byte, error) {
	if bytes.Contains(source, []byte(Failpoint)) {
		return nil, fmt.Errorf("%s: already mentions %s", filename, Failpoint)
	}
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, filename, source, parser.SkipObjectResolution)
	if err != nil {
		return nil, fmt.Errorf("%s: not Go source: %w", filename, err)
	}
	fsync, err := findTimedFsync(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filename, err)
	}

	at := files.Position(fsync.Pos())
	line := at.Offset - (at.Column - 1)
	indent := source[line:at.Offset]
	if len(bytes.TrimSpace(indent)) != 0 {
		return nil, fmt.Errorf("%s: wanted the fsync on a line of its own, found %q before it", filename, indent)
	}
	var marked bytes.Buffer
	marked.Write(source[:line])
	fmt.Fprintf(&marked, "%s// gofail: var %s struct{}\n", indent, Failpoint)
	marked.Write(source[line:])
	return marked.Bytes(), nil
}

// findTimedFsync returns the statement of WAL.sync that calls fileutil.Fdatasync after the clock was started and before
// the histogram is told. Each of the four must be there exactly once.
func findTimedFsync(file *ast.File) (ast.Stmt, error) {
	var syncs []*ast.FuncDecl
	for _, declaration := range file.Decls {
		if function, ok := declaration.(*ast.FuncDecl); ok && isWALSync(function) {
			syncs = append(syncs, function)
		}
	}
	if err := exactlyOne(len(syncs), "a method sync of *WAL with a body"); err != nil {
		return nil, err
	}
	body := syncs[0].Body

	clock, errClock := onlyStatement(body, "start := time.Now()", isStartOfClock)
	fsync, errFsync := onlyStatement(body, "a call of fileutil.Fdatasync", isCallOf("fileutil", "Fdatasync"))
	observe, errObserve := onlyStatement(body, "a call of walFsyncSec.Observe", isCallOf("walFsyncSec", "Observe"))
	if err := errors.Join(errClock, errFsync, errObserve); err != nil {
		return nil, err
	}
	if clock >= fsync || fsync >= observe {
		return nil, errors.New(
			"wanted start := time.Now(), fileutil.Fdatasync and walFsyncSec.Observe in this order in sync of *WAL")
	}
	return body.List[fsync], nil
}

func isWALSync(function *ast.FuncDecl) bool {
	if function.Name.Name != "sync" || function.Recv == nil || function.Body == nil {
		return false
	}
	pointer, ok := function.Recv.List[0].Type.(*ast.StarExpr)
	return ok && isIdent(pointer.X, "WAL")
}

// onlyStatement returns the index of the top-level statement of body that holds the one node matching. A match that is
// deeper inside, such as in a branch, counts too: it would make the place ambiguous.
func onlyStatement(body *ast.BlockStmt, wanted string, matches func(ast.Node) bool) (int, error) {
	index, found := 0, 0
	for i, statement := range body.List {
		ast.Inspect(statement, func(node ast.Node) bool {
			if node != nil && matches(node) {
				index = i
				found++
			}
			return true
		})
	}
	return index, exactlyOne(found, wanted+" in sync of *WAL")
}

func isStartOfClock(node ast.Node) bool {
	assign, ok := node.(*ast.AssignStmt)
	return ok && assign.Tok == token.DEFINE && len(assign.Lhs) == 1 && isIdent(assign.Lhs[0], "start") &&
		isCallOf("time", "Now")(assign.Rhs[0])
}

func isCallOf(operand, name string) func(ast.Node) bool {
	return func(node ast.Node) bool {
		call, ok := node.(*ast.CallExpr)
		if !ok {
			return false
		}
		selector, ok := call.Fun.(*ast.SelectorExpr)
		return ok && isIdent(selector.X, operand) && selector.Sel.Name == name
	}
}

func isIdent(expression ast.Expr, name string) bool {
	ident, ok := expression.(*ast.Ident)
	return ok && ident.Name == name
}

func exactlyOne(found int, wanted string) error {
	if found != 1 {
		return fmt.Errorf("wanted %s once, found it %d times", wanted, found)
	}
	return nil
}
