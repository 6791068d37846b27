import Foundation
import Platform

extension ScalingStudy {
  /// Fits the model to the steps in the file at `path`: lines of `electra benchmark step --json`.
  ///
  /// Empty lines are skipped. Throws `FileError.missing` or a `ScalingError`.
  package init(path: String) throws {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw FileError.missing(path: path)
    }
    let lines = data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    let points = try lines.enumerated().filter { !$0.element.isEmpty }.map { index, line in
      guard let point = try? JSONDecoder().decode(ScalingPoint.self, from: Data(line)),
        point.isValid
      else { throw ScalingError.notAStep(path: path, line: index + 1) }
      return point
    }
    guard let first = points.first else { throw ScalingError.notAStep(path: path, line: 1) }
    if let other = points.first(where: { !$0.isSameModel(as: first) }) {
      throw ScalingError.mixed(path: path, ranks: first.ranks, others: other.ranks)
    }
    self.init(points)
  }
}

/// An error in a file of measured steps.
package enum ScalingError: Error, CustomStringConvertible {
  /// A line is not a valid step; line 1 if the file has none.
  case notAStep(path: String, line: Int)
  /// Steps on `ranks` and on `others` ranks are not of the same model.
  case mixed(path: String, ranks: Int, others: Int)

  package var description: String {
    switch self {
    case .notAStep(let path, let line):
      "line \(line) of \(path) is not a measured step; expected the output of "
        + "electra benchmark step --json"
    case .mixed(let path, let ranks, let others):
      "\(path) mixes models, arithmetic, lengths or numbers of threads: the steps of \(ranks) and "
        + "\(others) ranks differ; measure all with the same options"
    }
  }
}
