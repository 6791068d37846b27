import Layers
import Tensors

/// The reference's head for SQuAD 2.0: the end is predicted given the start, and a binary
/// classifier predicts whether there is an answer (ELECTRA's `finetune/qa/qa_tasks.py`).
///
///     start logit of token t              = h_t w + c
///     end logit of token t, given start s = gelu([h_s, h_t] A + a) v + d
///     no-answer logit                     = gelu([h_0, sum of p_t h_t] B + b) u + e
///     p                                   = softmax(start logits)
///     loss = (cross-entropy of the start + cross-entropy of the end) / 2
///            + binary cross-entropy of the no-answer logit / 2
///
/// Start and end are tokens of the passage, or [CLS] if the sequence holds no answer; both
/// softmaxes run over these tokens only. Training conditions the end on the true start. `outputs`
/// searches the `SpanBeam.width` most probable starts and, for each, the most probable ends.
struct JointSpanHead: Head {
  private let start: Linear
  private let endHidden: Linear
  private let end: Linear
  private let noAnswerHidden: Linear
  private let noAnswer: Linear

  /// W, the width of both hidden layers.
  static let width = 512
  /// The weight of the no-answer loss.
  private static let noAnswerWeight = 0.5

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
    noAnswerHidden = linear("absence_hidden", 2 * d, Self.width)
    noAnswer = linear("absence", Self.width, 1)
  }

  func reserve(_ shape: BatchShape, arena: Arena) {
    _ = Activations(
      tokens: shape.tokens, sequences: shape.sequences, size: start.weight.columns, arena: arena)
  }

  private func activations(_ hidden: Tensor, _ batch: Batch, arena: Arena) -> Activations {
    Activations(
      tokens: batch.tokenCount, sequences: batch.sequenceCount, size: hidden.columns, arena: arena)
  }

  /// The tokens of sequence `range` that may start or end an answer: [CLS] and the passage, which
  /// is the second segment.
  private static func allowed(_ range: Range<Int>, _ batch: Batch) -> [Int] {
    range.filter { $0 == range.lowerBound || batch.segmentIDs[$0] == 1 }
  }

  // MARK: Training

  func accumulateGradients(
    _ input: HeadInput, targets: [Target], weight: Float, into gradient: Tensor
  ) -> Double {
    let (hidden, batch, pass) = (input.hidden, input.batch, input.pass)
    let activations = activations(hidden, batch, arena: input.arena)
    let candidates = startForward(hidden, batch, activations, pass)
    noAnswerForward(activations.noAnswer, pass)
    // Tokens that are not allowed, and sequences without a target, have no gradient.
    activations.startGradient.fill(0)
    activations.endGradient.fill(0)
    activations.noAnswer.logitGradient.fill(0)
    var loss = 0.0
    for (b, (range, target)) in zip(pass.ranges, targets).enumerated() {
      guard case .span(let first, let last) = target else { continue }
      let tokens = candidates[b].tokens
      let (startToken, endToken) = (range.lowerBound + first, range.lowerBound + last)
      endForward(hidden, from: startToken, range, activations, pass)
      loss += Self.halfCrossEntropy(
        activations.startLogits, tokens, startToken, weight, activations.startGradient)
      loss += Self.halfCrossEntropy(
        activations.endLogits, tokens, endToken, weight, activations.endGradient)
      let (value, derivative) = sigmoidCrossEntropy(
        logit: activations.noAnswer.logits.base[b], label: first == 0 && last == 0)
      loss += Self.noAnswerWeight * value
      activations.noAnswer.logitGradient.base[b] =
        weight * Float(Self.noAnswerWeight) * derivative
    }
    gradient.fill(0)
    // The no-answer features depend on the start logits, so their backward pass comes first: it
    // adds to the start logits' gradient.
    noAnswerBackward(hidden, candidates, activations, into: gradient, pass)
    endBackward(hidden, targets, activations, into: gradient, pass)
    startBackward(hidden, activations, into: gradient, pass)
    return loss
  }

  /// The allowed tokens of a sequence, as rows of the micro-batch, and their start probabilities.
  private typealias Candidates = (tokens: [Int], probabilities: [Double])

  /// Computes the start logits, the tokens' part of the end layer, and the no-answer features.
  private func startForward(
    _ hidden: Tensor, _ batch: Batch, _ activations: Activations, _ pass: PassContext
  ) -> [Candidates] {
    let d = hidden.columns
    hidden.dotRows(
      weight: pass.weights[start.weight], bias: pass.weights[start.bias][0, 0],
      into: activations.startLogits.base)
    // [h_s, h_t] A is h_s A_1 + h_t A_2. The second term does not depend on the start, so one
    // product serves all starts.
    activations.geluDerivative.multiply(
      hidden.plain, pass.weights[endHidden.weight].columns(d..<2 * d).transposed)
    return pass.ranges.enumerated().map { b, range in
      let tokens = Self.allowed(range, batch)
      let probabilities = softmax(
        tokens.map { Double(activations.startLogits.base[$0]) }
      ).probabilities
      let row = activations.noAnswer.features.row(b)
      row.update(from: hidden.row(range.lowerBound), count: d)
      for column in 0..<d {
        row[d + column] = Float(
          zip(tokens, probabilities).reduce(0.0) { $0 + $1.1 * Double(hidden[$1.0, column]) })
      }
      return (tokens, probabilities)
    }
  }

  /// Computes the end logits of the tokens of `range`, given start token `first`.
  ///
  /// Reads the tokens' terms in `geluDerivative` and replaces them by GELU's derivative.
  private func endForward(
    _ hidden: Tensor, from first: Int, _ range: Range<Int>, _ activations: Activations,
    _ pass: PassContext
  ) {
    let d = hidden.columns
    activations.startTerm.multiply(
      hidden.rows(first..<first + 1).plain,
      pass.weights[endHidden.weight].columns(0..<d).transposed)
    activations.startTerm.add(pass.weights[endHidden.bias])
    let dense = activations.dense.rows(range)
    activations.geluDerivative.rows(range).gelu(bias: activations.startTerm, into: dense)
    dense.dotRows(
      weight: pass.weights[end.weight], bias: pass.weights[end.bias][0, 0],
      into: activations.endLogits.base + range.lowerBound)
  }

  /// Half the cross-entropy of `target` among `tokens`; writes the gradient of the logits of
  /// `tokens`.
  private static func halfCrossEntropy(
    _ logits: Tensor, _ tokens: [Int], _ target: Int, _ weight: Float, _ gradient: Tensor
  ) -> Double {
    // The reader labels tokens of the passage only.
    guard let label = tokens.firstIndex(of: target) else {
      preconditionFailure("token \(target) is outside the passage")
    }
    let (value, derivatives) = softmaxCrossEntropy(
      logits: tokens.map { Double(logits.base[$0]) }, label: label)
    for (token, derivative) in zip(tokens, derivatives) {
      gradient.base[token] = weight * Float(derivative / 2)
    }
    return value / 2
  }

  /// Computes the no-answer logits from the features.
  private func noAnswerForward(_ activations: NoAnswerActivations, _ pass: PassContext) {
    noAnswerHidden.forwardWithGELU(
      .float32(activations.features), derivative: activations.geluDerivative,
      into: .float32(activations.dense), pass)
    activations.dense.dotRows(
      weight: pass.weights[noAnswer.weight], bias: pass.weights[noAnswer.bias][0, 0],
      into: activations.logits.base)
  }

  /// Adds the gradient through the no-answer logits to `gradient` and to the start logits'
  /// gradient.
  ///
  /// With g the gradient of m = sum of p_t h_t: dh_t = p_t g, and by the derivative of softmax the
  /// start logit of t gets p_t (h_t g - sum over s of p_s h_s g).
  private func noAnswerBackward(
    _ hidden: Tensor, _ candidates: [Candidates], _ activations: Activations,
    into gradient: Tensor, _ pass: PassContext
  ) {
    let d = hidden.columns
    featureBackward(activations.noAnswer, pass)
    for (b, range) in pass.ranges.enumerated() {
      let feature = activations.noAnswer.featureGradient.rows(b..<b + 1)
      gradient.rows(range.lowerBound..<range.lowerBound + 1).add(feature.columns(0..<d))
      let mean = feature.columns(d..<2 * d)
      let (tokens, probabilities) = candidates[b]
      let products = tokens.map { token in
        (0..<d).reduce(0.0) { $0 + Double(hidden[token, $1]) * Double(mean[0, $1]) }
      }
      let average = zip(probabilities, products).reduce(0.0) { $0 + $1.0 * $1.1 }
      for (token, (probability, product)) in zip(tokens, zip(probabilities, products)) {
        for column in 0..<d { gradient[token, column] += Float(probability) * mean[0, column] }
        activations.startGradient.base[token] += Float(probability * (product - average))
      }
    }
  }

  /// Computes the gradient of the no-answer features.
  private func featureBackward(_ activations: NoAnswerActivations, _ pass: PassContext) {
    activations.dense.dotRowsBackward(
      outputGradients: activations.logitGradient.base, weight: pass.weights[noAnswer.weight],
      weightGradient: pass.gradient(noAnswer.weight), biasGradient: pass.gradient(noAnswer.bias),
      into: activations.denseGradient)
    activations.denseGradient.geluBackward(
      derivative: activations.geluDerivative, biasGradient: pass.gradient(noAnswerHidden.bias))
    noAnswerHidden.backward(
      outputGradient: .float32(activations.denseGradient), input: .float32(activations.features),
      into: activations.featureGradient, adding: false, pass)
  }

  /// Adds the gradient through the end logits to `gradient`.
  private func endBackward(
    _ hidden: Tensor, _ targets: [Target], _ activations: Activations, into gradient: Tensor,
    _ pass: PassContext
  ) {
    let d = hidden.columns
    let weight = pass.weights[endHidden.weight]
    let weightGradient = pass.gradient(endHidden.weight)
    let termGradient = activations.startTermGradient
    activations.denseGradient.fill(0)
    for (range, target) in zip(pass.ranges, targets) {
      guard case .span(let first, _) = target else { continue }
      let rows = activations.denseGradient.rows(range)
      activations.dense.rows(range).dotRowsBackward(
        outputGradients: activations.endGradient.base + range.lowerBound,
        weight: pass.weights[end.weight], weightGradient: pass.gradient(end.weight),
        biasGradient: pass.gradient(end.bias), into: rows)
      // The start token's term is added to every token like a bias, so its gradient is a bias's:
      // the sum over tokens.
      termGradient.fill(0)
      rows.geluBackward(
        derivative: activations.geluDerivative.rows(range), biasGradient: termGradient)
      pass.gradient(endHidden.bias).add(termGradient)
      let row = range.lowerBound + first..<range.lowerBound + first + 1
      weightGradient.columns(0..<d).multiply(
        termGradient.transposed, hidden.rows(row).plain, adding: true)
      gradient.rows(row).multiply(termGradient.plain, weight.columns(0..<d).plain, adding: true)
    }
    weightGradient.columns(d..<2 * d).multiply(
      activations.denseGradient.transposed, hidden.plain, adding: true)
    gradient.multiply(
      activations.denseGradient.plain, weight.columns(d..<2 * d).plain, adding: true)
  }

  /// Adds the gradient through the start logits to `gradient`.
  private func startBackward(
    _ hidden: Tensor, _ activations: Activations, into gradient: Tensor, _ pass: PassContext
  ) {
    hidden.dotRowsBackward(
      outputGradients: activations.startGradient.base, weight: pass.weights[start.weight],
      weightGradient: pass.gradient(start.weight), biasGradient: pass.gradient(start.bias),
      into: activations.branchGradient)
    gradient.add(activations.branchGradient)
  }

  // MARK: Inference

  func outputCount(tokens: Int) -> Int { SpanBeam.floatCount }

  /// A `SpanBeam` for each sequence.
  func outputs(_ input: HeadInput) -> [Float] {
    let (hidden, batch, pass) = (input.hidden, input.batch, input.pass)
    let activations = activations(hidden, batch, arena: input.arena)
    let candidates = startForward(hidden, batch, activations, pass)
    noAnswerForward(activations.noAnswer, pass)
    // `endForward` overwrites the tokens' terms, which every start needs. Nothing uses the gradient
    // here, so its memory holds a copy.
    let terms = activations.denseGradient
    terms.copy(from: activations.geluDerivative)
    return pass.ranges.enumerated().flatMap { b, range in
      let tokens = candidates[b].tokens
      var beam = SpanBeam(noAnswerLogit: activations.noAnswer.logits.base[b])
      for (token, logProbability) in Self.best(activations.startLogits, tokens) {
        activations.geluDerivative.rows(range).copy(from: terms.rows(range))
        endForward(hidden, from: token, range, activations, pass)
        beam.starts.append(
          .init(
            token: token - range.lowerBound, logProbability: logProbability,
            ends: Self.best(activations.endLogits, tokens).map {
              .init(token: $0 - range.lowerBound, logProbability: $1)
            }))
      }
      return beam.floats
    }
  }

  /// The `SpanBeam.width` tokens with the largest logits and their log-probabilities, largest
  /// first; of equal logits the first token comes first.
  private static func best(_ logits: Tensor, _ tokens: [Int]) -> [(Int, Float)] {
    let logarithm = softmax(tokens.map { Double(logits.base[$0]) }).logarithm
    let order = tokens.sorted {
      (logits.base[$1], $0) < (logits.base[$0], $1)
    }
    return order.prefix(SpanBeam.width).map { ($0, Float(Double(logits.base[$0]) - logarithm)) }
  }
}
