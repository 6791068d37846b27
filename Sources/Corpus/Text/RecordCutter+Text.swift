import Platform

extension RecordCutter.Record {
  /// The UTF-8 of a field, if the record is a JSON object.
  func text(of field: String) throws(LineProblem) -> [UInt8] {
    if isPart { throw .tooLarge }
    if let problem = LineProblem(bytes, offset: offset) { throw problem }
    return try JSONObject.text(of: field, in: bytes)
  }
}
