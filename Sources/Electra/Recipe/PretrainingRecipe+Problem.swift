extension PretrainingConfiguration.Recipe {
  /// The first invalid setting of the generator's training; nil if there is none.
  var generatorProblem: String? {
    let settings = [
      ("--generator-rate", fields.generatorRate != nil),
      ("--clip-networks", fields.clipsNetworks == true),
    ]
    for (option, isGiven) in settings where isGiven {
      if let problem = task.generatorProblem(option) { return problem }
    }
    if let rate = fields.generatorRate, !(rate > 0 && rate.isFinite) {
      return
        "a factor of \(rate) for the generator's learning rate (--generator-rate) is not above 0"
    }
    return nil
  }
}
