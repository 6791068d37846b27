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
    /// What is wrong with it, when that was found while reading.
    var problem: TextProblem?
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

  /// Removes lines that are no text, or says which is the first.
  ///
  /// - Returns: the number of lines removed.
  package mutating func validate(_ policy: InvalidText) throws(CorpusError) -> Int {
    var bad: [Int] = []
    for (index, line) in lines.enumerated() {
      let problem =
        line.problem
        ?? bytes.withUnsafeBufferPointer {
          textProblem(UnsafeBufferPointer(rebasing: $0[line.bytes]))
        }
      guard let problem else { continue }
      if policy == .stop {
        switch problem {
        case .binary: throw .binary(path: line.file, line: line.number)
        case .notUTF8: throw .notUTF8(path: line.file, line: line.number)
        case .notJSON: throw .notJSON(path: line.file, line: line.number)
        }
      }
      bad.append(index)
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

/// Why bytes are no text.
enum TextProblem: Sendable {
  case binary
  case notUTF8
  case notJSON
}

/// Nil when `bytes` are well-formed UTF-8 (Unicode, table 3-7) without NUL.
func textProblem(_ bytes: UnsafeBufferPointer<UInt8>) -> TextProblem? {
  var index = 0
  while index < bytes.count {
    let byte = bytes[index]
    if byte == 0 { return .binary }
    if byte < 0x80 {
      index += 1
      continue
    }
    let (length, lowest, highest): (Int, UInt8, UInt8)
    switch byte {
    case 0xC2...0xDF: (length, lowest, highest) = (2, 0x80, 0xBF)
    case 0xE0: (length, lowest, highest) = (3, 0xA0, 0xBF)
    case 0xED: (length, lowest, highest) = (3, 0x80, 0x9F)
    case 0xE1...0xEF: (length, lowest, highest) = (3, 0x80, 0xBF)
    case 0xF0: (length, lowest, highest) = (4, 0x90, 0xBF)
    case 0xF1...0xF3: (length, lowest, highest) = (4, 0x80, 0xBF)
    case 0xF4: (length, lowest, highest) = (4, 0x80, 0x8F)
    default: return .notUTF8
    }
    guard index + length <= bytes.count, (lowest...highest).contains(bytes[index + 1]),
      bytes[(index + 2)..<(index + length)].allSatisfy({ $0 & 0xC0 == 0x80 })
    else { return .notUTF8 }
    index += length
  }
  return nil
}
