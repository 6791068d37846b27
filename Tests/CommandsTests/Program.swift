import Foundation
import TestSupport
import Testing

/// The program as a user runs it: the release binary beside the test bundle.
enum Program {
  struct Result {
    let status: Int32
    let output: String
    let errors: String
    /// The peak resident memory in bytes.
    let peakMemory: Int
  }

  /// The program under test.
  static var path: String { folder + "/electra" }

  /// The folder of the test bundle, which contains the program.
  static let folder = URL(fileURLWithPath: CommandLine.arguments[0])
    .resolvingSymlinksInPath().deletingLastPathComponent().path

  /// The folder of the repository's scripts.
  static let launch = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().appendingPathComponent("../../Launch").standardized.path

  /// Runs `electra` with these arguments and waits for it.
  ///
  /// `input` is its standard input, `environment` is added to that of the test, and `limits` are
  /// shell commands that run before it, such as `ulimit`. `ranks` starts it under mpirun; nil
  /// starts it alone.
  static func run(
    _ arguments: [String], input: String = "", environment: [String: String] = [:],
    limits: String = ":", ranks: Int? = nil, in directory: String
  ) throws -> Result {
    guard let ranks else {
      return try shell(
        "\(limits); exec \"$0\" \"$@\"", [path] + arguments, input: input,
        environment: environment, in: directory)
    }
    return try shell(
      ". \(launch)/environment.sh; \(limits); exec mpirun -q --timeout 300 -np \(ranks) \"$0\" \"$@\"",
      [path] + arguments, input: input, environment: environment, in: directory)
  }

  /// Runs `electra` on two ranks that are started by different shell words.
  ///
  /// In `first` and `second`, "$0" "$@" are the program and its arguments.
  static func runTwoRanks(
    _ arguments: [String], first: String = "\"$0\" \"$@\"", second: String, in directory: String
  ) throws -> Result {
    try shell(
      ". \(launch)/environment.sh; exec mpirun -q --timeout 300 -np 1 \(first) : -np 1 \(second)",
      [path] + arguments, in: directory)
  }

  /// Runs a script of `Launch` with the program under test and waits for it.
  static func script(
    _ name: String, _ arguments: [String], in directory: String
  ) throws -> Result {
    try shell("exec \"$0\" \"$@\"", ["\(launch)/\(name)"] + arguments, in: directory)
  }

  /// A shell function that waits until a command succeeds; after five minutes it prints the command.
  static let awaitFunction = """
    await() { for i in $(seq 3000); do eval "$1" && return; sleep 0.1; done; echo "never: $1"; }

    """

  /// A shell function that waits for the first checkpoint of the run in `run`.
  static let awaitCheckpointFunction =
    awaitFunction + "awaitCheckpoint() { await 'ls run/checkpoints/step-* >/dev/null 2>&1'; }\n"

  /// A stand-in for mpirun, a script that prints the host file it is given.
  static let mpirunThatPrintsItsHosts = """
    #!/bin/sh
    while [ "$1" != --hostfile ]; do shift; done
    cat "$2"

    """

  /// A Python with the packages of Launch/compare/requirements.txt; nil if there is none.
  static let pythonPath = ProcessInfo.processInfo.environment["ELECTRA_PYTHON"]

  /// Runs a Python program in the folder of this file and waits for it.
  static func python(
    _ name: String, _ arguments: [String], in directory: String
  ) throws -> Result {
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/" + name
    return try shell(
      "exec \"$0\" \"$@\"", [try #require(pythonPath), script] + arguments, in: directory)
  }

  /// Runs `line` in bash with `arguments` as $0, $1 and so on.
  static func shell(
    _ line: String, _ arguments: [String] = [], input: String = "",
    environment: [String: String] = [:], in directory: String
  ) throws -> Result {
    let (inputFile, outputFile, errorFile) = (
      directory + "/.input", directory + "/.output", directory + "/.errors"
    )
    try input.write(toFile: inputFile, atomically: false, encoding: .utf8)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/bash")
    process.currentDirectoryURL = URL(fileURLWithPath: directory)
    process.arguments = ["-c", "exec < .input > .output 2> .errors; \(line)"] + arguments
    var variables = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("OMPI_") }
    variables["ELECTRA_PROGRAM"] = path
    variables.merge(environment) { $1 }
    process.environment = variables
    let ended = DispatchSemaphore(value: 0)
    process.terminationHandler = { _ in ended.signal() }
    try process.run()
    let peak = watchMemory(process, until: ended)
    return Result(
      status: process.terminationStatus,
      output: try String(contentsOfFile: outputFile, encoding: .utf8),
      errors: try String(contentsOfFile: errorFile, encoding: .utf8), peakMemory: peak)
  }

  /// Seconds after which a process is killed; no test needs a quarter of them.
  private static let timeLimit = 600.0

  /// Waits until `ended` is signalled; returns the peak memory that the kernel last reported.
  ///
  /// A process that hangs fails its test, instead of the whole suite.
  private static func watchMemory(_ process: Process, until ended: DispatchSemaphore) -> Int {
    var peak = 0
    let end = Date(timeIntervalSinceNow: timeLimit)
    while ended.wait(timeout: .now() + 0.02) == .timedOut {
      let status = try? String(
        contentsOfFile: "/proc/\(process.processIdentifier)/status", encoding: .utf8)
      let line = status?.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
      let number = line?.split(whereSeparator: \.isWhitespace).dropFirst().first
      peak = max(peak, (number.flatMap { Int($0) } ?? 0) * 1024)
      if Date() > end {
        Issue.record("killed after \(timeLimit) s: \(process.arguments ?? [])")
        kill(process.processIdentifier, SIGKILL)
        break
      }
    }
    process.waitUntilExit()
    return peak
  }
}

extension Trait where Self == ConditionTrait {
  /// Enables tests that compare with Python.
  static var needsPython: Self {
    .enabled(if: Program.pythonPath != nil, "ELECTRA_PYTHON names no Python with transformers")
  }
}
