/// What one `Normalizer` does to each character.
///
/// The normalization forms change text in segments: a segment begins at a character that never
/// combines with those before it, and ends before the next such one. Most segments are one
/// character, whose form is in the table.
struct NormalizerTable: Sendable {
  /// The role of a character.
  enum Role: UInt8 {
    /// A segment begins; alone, the character is kept.
    case kept
    /// A segment begins; alone, the character is replaced.
    case replaced
    /// The segment continues.
    case continuing
  }

  /// The form; nil for normalizers that change each character by itself.
  private let form: NormalizationForm?
  /// The roles of the characters below `roleCount`.
  private let roles: [Role]
  /// The role of the variation selectors from U+E0100 on.
  private let selectorRole: Role
  private let replacements: [UInt32: [UInt32]]

  /// The end of the planes of letters and marks, except variation selectors.
  private static let roleCount: UInt32 = 0x30000

  init(_ normalizer: Normalizer) {
    // Large ranges without changes, such as ideographs, need not be looked up.
    let ranges = [
      0..<0x3400, 0x4DC0..<0x4E00, 0xA000..<0xE000, 0xF900..<0x17000, 0x18800..<0x20000,
      0x2F800..<Self.roleCount,
    ]
    let codePoints = ranges.joined()
    form = NormalizationForm(normalizer, codePoints)
    var roles = [Role](repeating: .kept, count: Int(Self.roleCount))
    var replacements: [UInt32: [UInt32]] = [:]
    for codePoint in codePoints {
      if form?.continues(codePoint) == true {
        roles[Int(codePoint)] = .continuing
        continue
      }
      let changed = form?.form(of: [codePoint]) ?? normalizer.replacement(codePoint)
      if changed == [codePoint] { continue }
      roles[Int(codePoint)] = .replaced
      replacements[codePoint] = changed
    }
    (self.roles, self.replacements) = (roles, replacements)
    selectorRole = normalizer == .stripAccents ? .replaced : .kept
  }

  @inline(__always)
  func role(_ codePoint: UInt32) -> Role {
    if codePoint < Self.roleCount { return roles[Int(codePoint)] }
    return 0xE0100..<0xE01F0 ~= codePoint ? selectorRole : .kept
  }

  /// What a character becomes whose role is `replaced`; a variation selector is removed.
  func replacement(_ codePoint: UInt32) -> [UInt32] { replacements[codePoint] ?? [] }

  /// What a segment of several characters becomes.
  func segment(_ characters: [UInt32]) -> [UInt32] { form?.form(of: characters) ?? characters }
}
