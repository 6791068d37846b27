extension PretrainingConfiguration.Recipe {
  /// The first invalid setting of the generator's training and sampling; nil if there is none.
  var generatorProblem: String? {
    let settings = [
      ("--generator-rate", fields.generatorRate != nil),
      ("--clip-networks", fields.clipsNetworks == true),
      ("--temperature-start", fields.temperatureStart != nil),
      ("--temperature-decay", fields.temperatureDecay != nil),
    ]
    for (option, isGiven) in settings where isGiven {
      if let problem = task.generatorProblem(option) { return problem }
    }
    return fields.generatorRate.flatMap { NumberRange.positive.problem("--generator-rate", $0) }
      ?? temperatureProblem
  }

  /// What is wrong with the decline of the temperature; nil if nothing is.
  private var temperatureProblem: String? {
    if let start = fields.temperatureStart {
      if task.scheme == .adversarial {
        return "--training adversarial excludes --temperature-start"
      }
      if let problem = NumberRange.positive.problem("--temperature-start", start) {
        return problem
      }
      if start < task.temperature {
        return
          "--temperature-start \(start) is below the final temperature, \(task.temperature); it "
          + "can only decline"
      }
    }
    guard let decay = fields.temperatureDecay else { return nil }
    if fields.temperatureStart == nil {
      return "--temperature-decay has no effect without --temperature-start"
    }
    return NumberRange.positive.problem("--temperature-decay", decay)
  }

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
