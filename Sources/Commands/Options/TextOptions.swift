import ArgumentParser
import Tokenization

/// The field of the text in JSON objects.
struct TextFieldOption: ParsableArguments {
  @Option(help: "The field of JSON objects that holds the text.")
  var field = "text"
}

/// The normalisation of text before it is split into tokens.
struct NormalizationOptions: ParsableArguments {
  @Flag(help: "Keep upper case and accents, as BERT's cased models do.")
  var cased = false

  @Flag(help: "Convert to lower case but keep accents.")
  var keepAccents = false

  /// The normalisation of the flags, nil without them; cased text always keeps its accents.
  var chosen: TextNormalization? { cased ? .cased : keepAccents ? .keepAccents : nil }
}
