extension PretrainingConfiguration.Recipe {
  /// Why the batch cannot be split into the slices, as a sentence; nil if it can.
  package var sliceProblem: String? {
    let (slices, batch) = (fields.slices, fields.batchSize)
    guard slices > 0, slices & (slices - 1) == 0 else {
      return "--slices \(slices) is not a power of two"
    }
    guard batch % slices == 0 else {
      return
        "--batch \(batch) cannot be split into \(slices) equal slices; give a multiple of "
        + "\(slices), or fewer --slices"
    }
    return nil
  }
}
