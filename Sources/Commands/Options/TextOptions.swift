import ArgumentParser
import Tokenization

/// Where the text of JSON objects is found.
struct TextFieldOption: ParsableArguments {
  @Option(help: "The field of JSON objects that holds the text.")
  var field = "text"
}

/// How text is normalised before it is cut into tokens.
struct NormalizationOptions: ParsableArguments {
  @Flag(help: "Keep upper case and accents, as BERT's cased models.")
  var cased = false

  @Flag(help: "Lower the case but keep accents.")
  var keepAccents = false

  /// The normalisation that the flags name; cased text keeps its accents anyway.
  var normalization: TextNormalization {
    cased ? .cased : keepAccents ? .keepAccents : .uncased
  }
}
