import Synchronization

/// The action for every code point under one normalisation, as a two-stage table.
///
/// The table is built from `CharacterRules`; `WordSplitter` looks up every character in it.
/// The first stage maps a block of 256 code points to its 256 actions in the second stage. Large
/// uniform blocks (unassigned, private use, ideographs) share one entry.
struct CharacterTable: Sendable {
  /// The action for one character.
  ///
  /// The low four bits are the kind. The other bits are the character to write or, for a sequence,
  /// its start in `sequences` and, in the low three bits, its length.
  struct Action: Equatable {
    enum Kind: UInt32 {
      /// Part of a word, written unchanged.
      case keep
      /// Part of a word, written as another character.
      case replace
      /// A combining mark, ordered among adjacent marks by its combining class.
      case mark
      /// A separate word, written unchanged.
      case isolate
      /// A separate word, written as another character.
      case isolateReplacement
      /// Several actions, which `forEachAction(of:_:)` lists.
      case sequence
      /// Nothing is written.
      case drop
      /// Nothing is written, but marks after it are not moved before it.
      case dropStarter
      /// The end of a word.
      case space
    }

    let bits: UInt32

    init(_ kind: Kind, _ payload: UInt32 = 0) { bits = kind.rawValue | payload << 4 }
    init(bits: UInt32) { self.bits = bits }

    var kind: Kind { Kind(rawValue: bits & 15) ?? .drop }
    var payload: UInt32 { bits >> 4 }
  }

  /// For each byte, the ASCII letter or digit to write; 0 for all other bytes.
  ///
  /// Bytes that begin the name of an added token also have 0, so that the fast path stops there.
  let ascii: [UInt8]
  /// The actions of all sequences, concatenated; none of them is itself a sequence.
  private let sequences: [UInt32]
  private let blocks: [UInt16]
  private let actions: [UInt32]

  /// Builds the table; `stops` are the first bytes of the names of added tokens.
  init(_ normalization: TextNormalization, stops: Set<UInt8> = []) {
    let maker = Maker.finished(normalization)
    blocks = maker.blocks
    actions = maker.actions
    sequences = maker.sequences
    ascii = (0..<256).map { byte in
      let action = Action(bits: maker.actions[byte])
      switch byte < 128 && !stops.contains(UInt8(byte)) ? action.kind : .drop {
      case .keep: return UInt8(byte)
      case .replace: return UInt8(action.payload)
      default: return 0
      }
    }
  }

  /// The action of a code point below 0x110000.
  @inline(__always)
  func action(_ codePoint: UInt32) -> Action {
    let block = Int(blocks[Int(codePoint >> 8)])
    return Action(bits: actions[block << 8 | Int(codePoint & 255)])
  }

  /// Calls `body` with each action of a sequence, in order.
  @inline(__always)
  func forEachAction(of sequence: Action, _ body: (Action) -> Void) {
    let start = Int(sequence.payload >> 3)
    for index in start..<start + Int(sequence.payload & 7) {
      body(Action(bits: sequences[index]))
    }
  }
}

extension CharacterTable {
  /// Builds the table block by block.
  private struct Maker {
    let normalization: TextNormalization
    var blocks: [UInt16] = []
    var actions: [UInt32] = []
    var sequences: [UInt32] = []
    var uniform: [UInt32: UInt16] = [:]

    private static let all = Mutex<[[Bool]: Maker]>([:])

    /// All blocks, which a process makes once for each normalization.
    static func finished(_ normalization: TextNormalization) -> Maker {
      let key = [
        normalization.lowercase, normalization.stripAccents, normalization.cleansText,
        normalization.separatesIdeographs,
      ]
      return all.withLock { all in
        if let maker = all[key] { return maker }
        var maker = Maker(normalization: normalization)
        for block in UInt32(0)..<(0x110000 >> 8) { maker.addBlock(block) }
        all[key] = maker
        return maker
      }
    }

    /// Adds the actions of 256 code points, or reuses a stored block if all are equal.
    mutating func addBlock(_ block: UInt32) {
      let codePoints = (block << 8)..<((block + 1) << 8)
      if let action = commonAction(block) {
        if let known = uniform[action.bits] { return blocks.append(known) }
        uniform[action.bits] = UInt16(actions.count >> 8)
        blocks.append(UInt16(actions.count >> 8))
        actions.append(contentsOf: repeatElement(action.bits, count: 256))
      } else {
        blocks.append(UInt16(actions.count >> 8))
        let scalars = codePoints.compactMap(Unicode.Scalar.init)
        let forms =
          normalization.stripAccents ? CharacterRules.decompositions(scalars) : scalars.map { [$0] }
        for (scalar, form) in zip(scalars, forms) { actions.append(action(scalar, form).bits) }
      }
    }

    /// The common action of a block in a large uniform range; nil for all other blocks.
    ///
    /// These ranges cover most code points, so looking up each one would make start-up slow.
    func commonAction(_ block: UInt32) -> Action? {
      switch block {
      case 0x34..<0x4D, 0x4E..<0xA0, 0x200..<0x2A6, 0x2A7..<0x2B8, 0x2BA..<0x2CE:
        Action(normalization.separatesIdeographs ? .isolate : .keep)
      case 0xD8..<0xE0: Action(.drop)  // Surrogates, which are no characters.
      case 0xE0..<0xF9, 0xF00..<0xFFF, 0x1000..<0x10FF:
        Action(normalization.cleansText ? .drop : .keep)
      case 0x170..<0x187, 0x300..<0xE00, 0xE10..<0xF00: Action(.keep)
      default: nil
      }
    }

    /// The action of a character that is `decomposed` so.
    mutating func action(_ scalar: Unicode.Scalar, _ decomposed: [Unicode.Scalar]) -> Action {
      if scalar.properties.generalCategory == .unassigned {
        let isIsolated = CharacterRules.isIsolated(scalar, of: scalar, normalization)
        return Action(isIsolated ? .isolate : .keep)
      }
      let role = CharacterRules.role(scalar, normalization)
      if role == .dropped { return Action(.drop) }
      if role == .space { return Action(.space) }
      let parts = decomposed.flatMap { part(of: $0, in: scalar) }
      let written = parts.filter { $0.kind != .drop }
      if written.isEmpty { return Action(.drop) }
      if written.count == 1 { return written[0] }
      sequences.append(contentsOf: written.map(\.bits))
      return Action(.sequence, UInt32(sequences.count - written.count) << 3 | UInt32(written.count))
    }

    /// The actions for one character of the decomposition of `whole`.
    func part(of scalar: Unicode.Scalar, in whole: Unicode.Scalar) -> [Action] {
      let strip = normalization.stripAccents
      let combines = strip && CharacterRules.combiningClass(scalar) > 0
      if strip && CharacterRules.isNonspacingMark(scalar) {
        return [Action(combines ? .drop : .dropStarter)]
      }
      let isolated = CharacterRules.isIsolated(scalar, of: whole, normalization)
      let lowered = normalization.lowercase ? CharacterRules.lowercase(scalar) : [scalar]
      return lowered.map { result in
        if combines { return Action(.mark, result.value) }
        if result == whole { return Action(isolated ? .isolate : .keep) }
        return Action(isolated ? .isolateReplacement : .replace, result.value)
      }
    }
  }
}
