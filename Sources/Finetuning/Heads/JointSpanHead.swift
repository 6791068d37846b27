import Layers
import Tensors

/// The reference's head for answers in a passage: the end is chosen knowing the start, and whether there
/// is an answer is a decision of its own (ELECTRA's `finetune/qa/qa_tasks.py`).
///
///     start logit of token t              = h_t w + c
///     end logit of token t, given start s = gelu([h_s, h_t] A + a) v + d
///     logit of having no answer           = gelu([h_0, sum of p_t h_t] B + b) u + e,  p = softmax(starts)
///     loss = (cross-entropy of the start + cross-entropy of the end) / 2 + no answer's / 2
///
/// Starts and ends are tokens of the passage, or [CLS] where it holds no answer. In training s is the
/// right start; answers go through the best starts, and the best ends of each.
struct JointSpanHead: Head {
  private let start: Linear
  private let endHidden: Linear
  private let end: Linear
  private let absenceHidden: Linear
  private let absence: Linear

  /// W, the width of both hidden layers.
  private static let width = 512
  /// The weight of the decision whether there is an answer.
  private static let absenceWeight = 0.5

  init(_ sizes: EncoderSizes, in layout: inout ParameterLayout) {
    func linear(_ name: String, _ input: Int, _ output: Int) -> Linear {
      Linear(
        name, input: input, output: output, standardDeviation: EncoderSizes.headStandardDeviation,
        in: &layout)
    }
    let d = sizes.hiddenSize
    start = linear("start", d, 1)
    endHidden = linear("end_hidden", 2 * d, Self.width)
    end = linear("end", Self.width, 1)
    absenceHidden = linear("absence_hidden", 2 * d, Self.width)
    absence = linear("absence", Self.width, 1)
  }

  private struct Activations {
    let starts: Tensor, ends: Tensor  // (1, N)
    let startGradients: Tensor, endGradients: Tensor  // (1, N)
    /// GELU's slope, its output and the gradient of that. (N, W)
    let slope: Tensor, inner: Tensor, innerGradient: Tensor
    /// What the start adds to every token of its sequence, and its gradient. (1, W)
    let shift: Tensor, shiftGradient: Tensor
    /// The gradient that comes through the start logits. (N, D)
    let branch: Tensor
    let absence: Absence

    init(tokens: Int, sequences: Int, size: Int, arena: Arena) {
      func row() -> Tensor { arena.tensor(1, tokens) }
      func wide() -> Tensor { arena.tensor(tokens, JointSpanHead.width) }
      (starts, ends, startGradients, endGradients) = (row(), row(), row(), row())
      (slope, inner, innerGradient) = (wide(), wide(), wide())
      shift = arena.tensor(1, JointSpanHead.width)
      shiftGradient = arena.tensor(1, JointSpanHead.width)
      branch = arena.tensor(tokens, size)
      absence = Absence(sequences, size: size, arena: arena)
    }
  }

  /// The decision whether there is an answer.
  private struct Absence {
    let features: Tensor, featureGradient: Tensor  // (B, 2 D)
    let slope: Tensor, inner: Tensor, innerGradient: Tensor  // (B, W)
    let logits: Tensor, logitGradients: Tensor  // (1, B)

    init(_ sequences: Int, size: Int, arena: Arena) {
      func wide() -> Tensor { arena.tensor(sequences, JointSpanHead.width) }
      features = arena.tensor(sequences, 2 * size)
      featureGradient = arena.tensor(sequences, 2 * size)
      (slope, inner, innerGradient) = (wide(), wide(), wide())
      logits = arena.tensor(1, sequences)
      logitGradients = arena.tensor(1, sequences)
    }
  }

  func reserve(_ shape: BatchShape, arena: Arena) {
    _ = Activations(
      tokens: shape.tokens, sequences: shape.sequences, size: start.weight.columns, arena: arena)
  }

  private func activations(_ hidden: Tensor, _ batch: Batch, arena: Arena) -> Activations {
    Activations(
      tokens: batch.tokenCount, sequences: batch.sequenceCount, size: hidden.columns, arena: arena)
  }

  /// The tokens of `range` that an answer may begin or end with: the passage, and [CLS].
  private static func allowed(_ range: Range<Int>, _ batch: Batch) -> [Int] {
    range.filter { $0 == range.lowerBound || batch.segmentIDs[$0] == 1 }
  }

  // MARK: Training

  func learn(
    _ input: HeadInput, targets: [Target], weight: Float, into gradient: Tensor
  ) -> Double {
    let (hidden, batch, pass) = (input.hidden, input.batch, input.pass)
    let own = activations(hidden, batch, arena: input.arena)
    let starts = score(hidden, batch, own, pass)
    decide(own.absence, pass)
    own.startGradients.fill(0)
    own.endGradients.fill(0)
    own.absence.logitGradients.fill(0)
    var loss = 0.0
    for (b, (range, target)) in zip(pass.ranges, targets).enumerated() {
      guard case .span(let first, let last) = target else { continue }
      let tokens = starts[b].tokens
      findEnds(hidden, from: range.lowerBound + first, range, own, pass)
      loss += Self.choose(own.starts, tokens, range.lowerBound + first, weight, own.startGradients)
      loss += Self.choose(own.ends, tokens, range.lowerBound + last, weight, own.endGradients)
      let (value, derivative) = sigmoidCrossEntropy(
        logit: own.absence.logits.base[b], label: first == 0 && last == 0)
      loss += Self.absenceWeight * value
      own.absence.logitGradients.base[b] = weight * Float(Self.absenceWeight) * derivative
    }
    gradient.fill(0)
    absenceBackward(hidden, starts, own, into: gradient, pass)
    endBackward(hidden, targets, own, into: gradient, pass)
    startBackward(hidden, own, into: gradient, pass)
    return loss
  }

  /// A sequence's tokens that may be chosen, and their chances to be the start.
  private typealias Starts = (tokens: [Int], chances: [Double])

  /// The start logits of all tokens, what all tokens bring to the end logits, and the features of the
  /// decision whether there is an answer.
  private func score(
    _ hidden: Tensor, _ batch: Batch, _ own: Activations, _ pass: PassContext
  ) -> [Starts] {
    let d = hidden.columns
    hidden.score(
      weight: pass.weights[start.weight], bias: pass.weights[start.bias][0, 0],
      into: own.starts.base)
    own.slope.multiply(
      hidden.plain, pass.weights[endHidden.weight].columns(d..<2 * d).transposed)
    return pass.ranges.enumerated().map { b, range in
      let tokens = Self.allowed(range, batch)
      let chances = softmax(tokens.map { Double(own.starts.base[$0]) }).probabilities
      let row = own.absence.features.row(b)
      row.update(from: hidden.row(range.lowerBound), count: d)
      for column in 0..<d {
        row[d + column] = Float(
          zip(tokens, chances).reduce(0.0) { $0 + $1.1 * Double(hidden[$1.0, column]) })
      }
      return (tokens, chances)
    }
  }

  /// The end logits of the tokens of `range`, given the start.
  private func findEnds(
    _ hidden: Tensor, from first: Int, _ range: Range<Int>, _ own: Activations, _ pass: PassContext
  ) {
    let d = hidden.columns
    own.shift.multiply(
      hidden.rows(first..<first + 1).plain,
      pass.weights[endHidden.weight].columns(0..<d).transposed)
    own.shift.add(pass.weights[endHidden.bias])
    own.slope.rows(range).gelu(bias: own.shift, into: own.inner.rows(range))
    own.inner.rows(range).score(
      weight: pass.weights[end.weight], bias: pass.weights[end.bias][0, 0],
      into: own.ends.base + range.lowerBound)
  }

  /// Half the cross-entropy of choosing `token` among `tokens`; writes the logits' gradients.
  private static func choose(
    _ logits: Tensor, _ tokens: [Int], _ token: Int, _ weight: Float, _ gradients: Tensor
  ) -> Double {
    // A target that may not be chosen would be a passage cut wrong.
    guard let label = tokens.firstIndex(of: token) else {
      preconditionFailure("token \(token) is not of the passage")
    }
    let (value, derivatives) = softmaxCrossEntropy(
      logits: tokens.map { Double(logits.base[$0]) }, label: label)
    for (token, derivative) in zip(tokens, derivatives) {
      gradients.base[token] = weight * Float(derivative / 2)
    }
    return value / 2
  }

  /// The logits of having no answer.
  private func decide(_ own: Absence, _ pass: PassContext) {
    absenceHidden.product(own.features, into: own.slope, pass)
    own.slope.gelu(bias: pass.weights[absenceHidden.bias], into: own.inner)
    own.inner.score(
      weight: pass.weights[absence.weight], bias: pass.weights[absence.bias][0, 0],
      into: own.logits.base)
  }

  /// Adds to `gradient`, and to the gradients of the start logits.
  private func absenceBackward(
    _ hidden: Tensor, _ starts: [Starts], _ activations: Activations, into gradient: Tensor,
    _ pass: PassContext
  ) {
    let (own, d) = (activations.absence, hidden.columns)
    own.inner.scoreBackward(
      scoreGradients: own.logitGradients.base, weight: pass.weights[absence.weight],
      weightGradient: pass.gradient(absence.weight), biasGradient: pass.gradient(absence.bias),
      into: own.innerGradient)
    own.innerGradient.geluBackward(
      derivative: own.slope, biasGradient: pass.gradient(absenceHidden.bias))
    absenceHidden.backward(
      outputGradient: own.innerGradient, input: own.features, into: own.featureGradient,
      adding: false, pass)
    for (b, range) in pass.ranges.enumerated() {
      let feature = own.featureGradient.rows(b..<b + 1)
      gradient.rows(range.lowerBound..<range.lowerBound + 1).add(feature.columns(0..<d))
      let mean = feature.columns(d..<2 * d)
      let (tokens, chances) = starts[b]
      let slopes = tokens.map { token in
        (0..<d).reduce(0.0) { $0 + Double(hidden[token, $1]) * Double(mean[0, $1]) }
      }
      let average = zip(chances, slopes).reduce(0.0) { $0 + $1.0 * $1.1 }
      for (token, (chance, slope)) in zip(tokens, zip(chances, slopes)) {
        for column in 0..<d { gradient[token, column] += Float(chance) * mean[0, column] }
        activations.startGradients.base[token] += Float(chance * (slope - average))
      }
    }
  }

  /// Adds to `gradient` what comes through the end logits.
  private func endBackward(
    _ hidden: Tensor, _ targets: [Target], _ own: Activations, into gradient: Tensor,
    _ pass: PassContext
  ) {
    let d = hidden.columns
    let weight = pass.weights[endHidden.weight]
    let weightGradient = pass.gradient(endHidden.weight)
    own.innerGradient.fill(0)
    for (range, target) in zip(pass.ranges, targets) {
      guard case .span(let first, _) = target else { continue }
      let rows = own.innerGradient.rows(range)
      own.inner.rows(range).scoreBackward(
        scoreGradients: own.endGradients.base + range.lowerBound, weight: pass.weights[end.weight],
        weightGradient: pass.gradient(end.weight), biasGradient: pass.gradient(end.bias),
        into: rows)
      own.shiftGradient.fill(0)
      rows.geluBackward(derivative: own.slope.rows(range), biasGradient: own.shiftGradient)
      pass.gradient(endHidden.bias).add(own.shiftGradient)
      let place = range.lowerBound + first..<range.lowerBound + first + 1
      weightGradient.columns(0..<d).multiply(
        own.shiftGradient.transposed, hidden.rows(place).plain, adding: true)
      gradient.rows(place).multiply(
        own.shiftGradient.plain, weight.columns(0..<d).plain, adding: true)
    }
    weightGradient.columns(d..<2 * d).multiply(
      own.innerGradient.transposed, hidden.plain, adding: true)
    gradient.multiply(own.innerGradient.plain, weight.columns(d..<2 * d).plain, adding: true)
  }

  /// Adds to `gradient` what comes through the start logits.
  private func startBackward(
    _ hidden: Tensor, _ own: Activations, into gradient: Tensor, _ pass: PassContext
  ) {
    hidden.scoreBackward(
      scoreGradients: own.startGradients.base, weight: pass.weights[start.weight],
      weightGradient: pass.gradient(start.weight), biasGradient: pass.gradient(start.bias),
      into: own.branch)
    gradient.add(own.branch)
  }

  // MARK: Answers

  func answerCount(tokens: Int) -> Int { SpanBeam.floatCount }

  /// A `SpanBeam` for each sequence.
  func answers(_ input: HeadInput) -> [Float] {
    let (hidden, batch, pass) = (input.hidden, input.batch, input.pass)
    let own = activations(hidden, batch, arena: input.arena)
    let starts = score(hidden, batch, own, pass)
    decide(own.absence, pass)
    // A start's end logits replace what all tokens bring to them, so that is kept.
    let kept = own.innerGradient
    kept.copy(from: own.slope)
    return pass.ranges.enumerated().flatMap { b, range in
      let (tokens, _) = starts[b]
      var beam = SpanBeam(absence: own.absence.logits.base[b])
      for (token, chance) in Self.best(own.starts, tokens) {
        own.slope.rows(range).copy(from: kept.rows(range))
        findEnds(hidden, from: token, range, own, pass)
        beam.starts.append(
          .init(
            token: token - range.lowerBound, logChance: chance,
            ends: Self.best(own.ends, tokens).map {
              .init(token: $0 - range.lowerBound, logChance: $1)
            }))
      }
      return beam.floats
    }
  }

  /// The tokens with the largest logits, the first of equals first, and their log-chances.
  private static func best(_ logits: Tensor, _ tokens: [Int]) -> [(Int, Float)] {
    let logarithm = softmax(tokens.map { Double(logits.base[$0]) }).logarithm
    let order = tokens.sorted {
      (logits.base[$1], $0) < (logits.base[$0], $1)
    }
    return order.prefix(SpanBeam.width).map { ($0, Float(Double(logits.base[$0]) - logarithm)) }
  }
}
