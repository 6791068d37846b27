import ArgumentParser
import Collectives
import Foundation
import Platform
import Runs
import Tensors

/// The program: one verb a stage, from raw text to a trained encoder.
@main
struct ElectraCommand: ParsableCommand {
  static func main() {
    expectProcessor(orEndWith: ExitStatus.disagreement.rawValue)
    MatrixLibrary.restartWithBetterKernels()
    // A full disk or a closed pipe is an error to report, not a reason to die.
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

  /// Help and versions, which the parser throws; their output may fail as any other.
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
      EvaluateCommand.self, ReportCommand.self, DetectCommand.self, FinetuneCommand.self,
      TasksCommand.self, PredictCommand.self, ExportCommand.self, FlopsCommand.self,
      CompareCommand.self, BenchmarkCommand.self,
    ])
}
