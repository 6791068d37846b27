import ArgumentParser

/// The values of all options of a parsed command, such as `option --log-every` and `50`.
///
/// They are in the order of declaration and include the options of groups. Reflection finds them,
/// because every option is a property wrapper.
func optionValues(of arguments: some ParsableArguments) -> [(key: String, value: String)] {
  Mirror(reflecting: arguments).children.flatMap { child -> [(key: String, value: String)] in
    if let group = child.value as? any OptionGroupValue { return group.values }
    guard let label = child.label, let option = child.value as? any OptionValue else { return [] }
    return [("option --\(kebabCase(label.dropFirst()))", option.text)]
  }
}

/// Converts `logEvery` to `log-every`.
private func kebabCase(_ name: some StringProtocol) -> String {
  name.map { $0.isUppercase ? "-\($0.lowercased())" : "\($0)" }.joined()
}

/// A property wrapper that holds one value.
private protocol OptionValue<Value> {
  associatedtype Value
  var wrappedValue: Value { get }
}

extension OptionValue {
  /// The value, or "none".
  var text: String {
    let mirror = Mirror(reflecting: wrappedValue)
    guard mirror.displayStyle == .optional else { return "\(wrappedValue)" }
    return mirror.children.first.map { "\($0.value)" } ?? "none"
  }
}

extension Option: OptionValue {}
extension Flag: OptionValue {}
extension Argument: OptionValue {}

private protocol OptionGroupValue {
  var values: [(key: String, value: String)] { get }
}

extension OptionGroup: OptionGroupValue {
  fileprivate var values: [(key: String, value: String)] { optionValues(of: wrappedValue) }
}
