/// About a megabyte of text: whole documents, or parts of one that is larger than a block.
///
/// This is the unit of parallel work.
package struct TextBlock: Sendable {
  /// The text of all lines, without line ends.
  package var bytes: [UInt8] = []
  /// All lines, as ranges of `bytes` with their origin.
  package var lines: [Line] = []
  /// The documents, as ranges of `lines`.
  package var documents: [Range<Int>] = []
  /// The number of bytes of input, for progress reports; compressed files count when they end.
  package var inputBytes = 0

  /// A paragraph or sentence.
  package struct Line: Sendable {
    /// The range in `TextBlock.bytes`.
    package let bytes: Range<Int>
    package let file: String
    /// The line number in the file, from 1.
    package let number: Int
    /// The byte offset in the line of the file, if that line is longer than a document.
    var offset: UInt32 = 0
    /// Whether it represents a JSON object without text.
    var isRejected = false
  }

  /// The memory use in bytes.
  package var weight: Int { bytes.count + lines.count * MemoryLayout<Line>.stride }

  /// The text of all lines, each with a line end.
  package var joined: [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count + lines.count)
    for line in lines {
      result += bytes[line.bytes]
      result.append(0x0A)
    }
    return result
  }

  /// Makes lines that are not UTF-8 text empty and returns their number.
  ///
  /// The lines stay in `lines`, so that the ranges of `documents` remain valid. If `policy` is
  /// `stop`, throws `CorpusError.badLine` for the first such line instead.
  package mutating func validate(_ policy: InvalidText) throws(CorpusError) -> Int {
    var invalid: [Int] = []
    for (index, line) in lines.enumerated() {
      let problem = bytes.withUnsafeBufferPointer {
        LineProblem(UnsafeBufferPointer(rebasing: $0[line.bytes]), offset: Int(line.offset))
      }
      if let problem, policy == .stop {
        throw .badLine(path: line.file, line: line.number, problem: problem, canSkip: true)
      }
      if problem != nil || line.isRejected { invalid.append(index) }
    }
    for index in invalid {
      let line = lines[index]
      let start = line.bytes.lowerBound
      lines[index] = Line(bytes: start..<start, file: line.file, number: line.number)
    }
    return invalid.count
  }
}

/// How to handle lines and files that are not UTF-8 text.
package enum InvalidText: String, Sendable, CaseIterable {
  case stop
  case skip
}
