/// The text that a C function wrote into a buffer: the bytes before the first zero.
package func decodeCString(_ buffer: [CChar]) -> String {
  String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
