import ArgumentParser
import Collectives
import Corpus
import Electra
import Finetuning
import Foundation
import Models
import Platform
import Reports
import Runs
import Tokenization
import Training

/// Runs `body` and flushes standard output, also before an error is reported.
///
/// An error becomes one sentence on standard error and an `ExitCode`.
func reportingErrors(_ body: () throws -> Void) throws {
  do {
    try body()
    try StandardOutput.flush()
  } catch let error as ExitCode {
    throw error
  } catch {
    try? StandardOutput.flush()
    let status = exitStatus(of: error)
    if status == .success { return }
    standardError("electra: \(error)\n")
    throw ExitCode(status.rawValue)
  }
}

/// The exit status for an error.
func exitStatus(of error: any Error) -> ExitStatus {
  switch error {
  case is UsageError: .usage
  case OutputError.closed: .success
  case let error as FileError: error.exitStatus
  case is CorpusError, is TextError: .badData
  case TokenizationError.sizeTooSmall: .usage
  case is TokenizationError: .badData
  case is ThreadError: .shortage
  case is SafetensorsError, is ModelError, is ScalingError, is StudyError: .badData
  case let error as CheckpointError: error.exitStatus
  case let error as FinetuningError: error.exitStatus
  case is CollectivesError: .disagreement
  case TrainerError.stopped: .stopped
  case is TrainerError: .diverged
  default: .inputOutput
  }
}

extension FileError {
  fileprivate var exitStatus: ExitStatus {
    switch self {
    case .missing, .unreadable: .missingFile
    case .unwritable, .exists, .inProgress: .cannotCreate
    }
  }
}

extension CheckpointError {
  fileprivate var exitStatus: ExitStatus {
    switch self {
    case .notFound: .missingFile
    case .unsaved, .inUse: .cannotCreate
    case .damaged, .noneIntact, .otherModel: .badData
    case .unreadable: .inputOutput
    }
  }
}

extension FinetuningError {
  fileprivate var exitStatus: ExitStatus {
    switch self {
    case .unknownTask, .lengthTooSmall, .noSecondText, .classWeight: .usage
    case .missingFile: .missingFile
    default: .badData
    }
  }
}
