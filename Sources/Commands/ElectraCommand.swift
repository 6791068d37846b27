import ArgumentParser
import Collectives
import Foundation
import Platform
import Runs
import Tensors

/// The program, with one subcommand per stage from raw text to a fine-tuned encoder.
@main
struct ElectraCommand: ParsableCommand {
  static func main() {
    expectProcessor(orEndWith: ExitStatus.disagreement.rawValue)
    MatrixLibrary.restartWithBetterKernels()
    // Writing to a closed pipe or beyond a size limit must return an error to report, not end the
    // process.
    for number in [SIGPIPE, SIGXFSZ] { signal(number, SIG_IGN) }
    reserveStandardDescriptors()
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch  where exitCode(for: error).isSuccess {
      printHelp(fullMessage(for: error))
    } catch {
      exit(withError: error)
    }
  }

  /// Prints help and versions, which the parser throws; a failed write is reported as anywhere
  /// else.
  private static func printHelp(_ text: String) {
    do {
      try reportingErrors { if !text.isEmpty { StandardOutput.print(text) } }
    } catch {
      exit(withError: error)
    }
  }

  static let configuration = CommandConfiguration(
    commandName: "electra",
    abstract: "Pre-trains ELECTRA text encoders on CPU clusters.",
    version: """
      electra \(programVersion)
      \(Communicator.libraryVersion)
      \(MatrixLibrary.description)
      """,
    subcommands: [
      VocabularyCommand.self, TokenizeCommand.self, PrepareCommand.self, PretrainCommand.self,
      EvaluateCommand.self, RunsCommand.self, ReportCommand.self, DetectCommand.self,
      FinetuneCommand.self, TasksCommand.self, PredictCommand.self, ExportCommand.self,
      FlopsCommand.self, CompareCommand.self, BenchmarkCommand.self,
    ])
}
