import ArgumentParser

/// `electra benchmark`: the speed of this machine.
struct BenchmarkCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "benchmark",
    abstract: "Measures how fast this machine trains and tokenizes.",
    subcommands: [
      BenchmarkStepCommand.self, BenchmarkFinetuneCommand.self, BenchmarkTokenizerCommand.self,
      BenchmarkAllreduceCommand.self, BenchmarkScalingCommand.self,
    ])
}
