/// Finds where objects begin and end in a JSON text of objects, alone or in lists, byte by byte.
struct ObjectScan {
  /// What a byte is to the object that is being read.
  enum Part {
    /// There is none: white space, a comma, or the bracket of a list.
    case nothing
    /// The first byte of one, or of something else that does not belong there.
    case begin
    case inside
    /// Its last byte.
    case last
    /// The first byte that does not belong to it any more.
    case behind
  }

  /// The objects and lists that are open inside an object; 0 outside.
  private var depth = 0
  /// The lists around the objects that are open.
  private var lists = 0
  private var isInString = false
  private var isEscaped = false
  /// Whether what is being read is no object; it ends with its line.
  private var isStray = false

  /// Whether every list was closed.
  var isBalanced: Bool { lists == 0 }

  mutating func read(_ byte: UInt8) -> Part {
    if isInString { return readString(byte) }
    if isStray {
      isStray = byte != 0x0A
      return isStray ? .inside : .behind
    }
    return depth > 0 ? readObject(byte) : readOutside(byte)
  }

  private mutating func readString(_ byte: UInt8) -> Part {
    if isEscaped {
      isEscaped = false
    } else if byte == UInt8(ascii: "\\") {
      isEscaped = true
    } else if byte == UInt8(ascii: "\"") {
      isInString = false
    }
    return .inside
  }

  private mutating func readObject(_ byte: UInt8) -> Part {
    switch byte {
    case UInt8(ascii: "\""): isInString = true
    case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
    case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
    default: break
    }
    return depth == 0 ? .last : .inside
  }

  private mutating func readOutside(_ byte: UInt8) -> Part {
    switch byte {
    case 0x20, 0x09...0x0D, UInt8(ascii: ","): return .nothing
    case UInt8(ascii: "["):
      lists += 1
      return .nothing
    case UInt8(ascii: "]"):
      lists -= 1
      return .nothing
    case UInt8(ascii: "{"): depth = 1
    default: isStray = true
    }
    return .begin
  }
}
