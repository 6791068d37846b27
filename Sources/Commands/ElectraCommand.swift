import ArgumentParser

/// The program: one verb a stage, from raw text to a trained encoder.
@main
struct ElectraCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "electra",
    abstract: "Pre-trains ELECTRA text encoders on CPU clusters.",
    subcommands: [
      PrepareCommand.self, PretrainCommand.self, EvaluateCommand.self, DetectCommand.self,
    ])
}
