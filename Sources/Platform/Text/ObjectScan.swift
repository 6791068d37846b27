/// Finds the boundaries of JSON objects in a stream of objects or lists of objects, byte by byte.
struct ObjectScan {
  /// The relation of a byte to the current object.
  enum Part {
    /// No object: white space, a comma, or the bracket of a list.
    case nothing
    /// The first byte of an object, or of other text that is not valid here.
    case begin
    /// A byte inside the object.
    case inside
    /// The last byte of the object.
    case last
    /// The first byte after invalid text.
    case after
  }

  /// The number of open objects and lists, counted from the current object; 0 outside.
  private var depth = 0
  /// The number of open lists around the objects.
  private var lists = 0
  private var isInString = false
  private var isEscaped = false
  /// Whether the current text is not an object; such text ends with its line.
  private var isStray = false

  /// Whether all lists are closed.
  var isBalanced: Bool { lists == 0 }

  /// Advances by one byte and classifies it.
  mutating func read(_ byte: UInt8) -> Part {
    if isInString { return readString(byte) }
    if isStray {
      isStray = byte != 0x0A
      return isStray ? .inside : .after
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
