// The program is libFuzzer's main and the entry in WeftProxyFuzz. It is a C target because SwiftPM renames the main
// function of Swift executables. This file is empty because every target needs a source.
