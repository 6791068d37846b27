/// About a megabyte of text: whole documents, or parts of one that is larger than a block.
///
/// Documents are numbered over the whole input, so what becomes of one does not depend on who
/// works on it.
package struct TextBlock: Sendable {
  /// The text, lines end to end, without line ends.
  package var bytes: [UInt8] = []
  /// Every line: where it lies in `bytes`, and where it stood in its file.
  package var lines: [Line] = []
  /// The lines of each document.
  package var documents: [Range<Int>] = []
  /// The number of the first document.
  package var firstDocument = 0
  /// The bytes of input that it took, for the progress.
  package var inputBytes = 0

  /// A paragraph or sentence.
  package struct Line: Sendable {
    package let bytes: Range<Int>
    package let file: String
    package let number: Int
    /// Where it begins in its line of the file, if that is longer than a document.
    var offset: UInt32 = 0
    /// Whether it stands for a JSON object without text.
    var isRejected = false
  }

  /// The memory that it takes, in bytes.
  var weight: Int { bytes.count + lines.count * MemoryLayout<Line>.stride }

  /// The text as one run of lines, each with a line end.
  package var joined: [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count + lines.count)
    for line in lines {
      result += bytes[line.bytes]
      result.append(0x0A)
    }
    return result
  }

  /// Empties lines that are not text, so that the others keep their numbers, or throws
  /// `CorpusError.badLine` for the first of them.
  ///
  /// - Parameter policy: whether such a line is an error.
  /// - Returns: the number of lines that were emptied.
  /// - Throws: `CorpusError.badLine` where the policy is `stop`.
  package mutating func validate(_ policy: InvalidText) throws(CorpusError) -> Int {
    var bad: [Int] = []
    for (index, line) in lines.enumerated() {
      let problem = bytes.withUnsafeBufferPointer {
        LineProblem(UnsafeBufferPointer(rebasing: $0[line.bytes]), offset: Int(line.offset))
      }
      if let problem, policy == .stop {
        throw .badLine(path: line.file, line: line.number, problem: problem, canSkip: true)
      }
      if problem != nil || line.isRejected { bad.append(index) }
    }
    for index in bad {
      let line = lines[index]
      let start = line.bytes.lowerBound
      lines[index] = Line(bytes: start..<start, file: line.file, number: line.number)
    }
    return bad.count
  }
}

/// What to do with a line that is not UTF-8 text.
package enum InvalidText: String, Sendable, CaseIterable {
  case stop
  case skip
}
