#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "onggi/text/pre_tokenizer.h"
#include "onggi/text/tokenizer.h"

namespace onggi::text {

/// What a token is for; the numbers are those of SentencePiece and GGUF.
enum class TokenType : std::uint8_t {
  kNormal = 1,
  kUnknown = 2,
  kControl = 3,      ///< Read in template text only; left out by decode.
  kUserDefined = 4,  ///< Read whole wherever it is spelt (Gemma's runs of newlines and spaces).
  kUnused = 5,
  kByte = 6,
  kMarkup = 7,  ///< Ours: read in template text only, but decoded as text (Qwen's <tool_call>, <think>).
};

struct TokenSpec {
  std::string bytes;  ///< In running text: U+2581 is a space already, byte-level letters are bytes already.
  TokenType type = TokenType::kNormal;
  float score = 0;
  bool eats_space_before = false;  ///< tokenizer.json's lstrip and rstrip.
  bool eats_space_after = false;
};

/// A merge of tokens by id; its place in the list is its rank.
struct MergeSpec {
  int left = 0;
  int right = 0;
  int merged = 0;
};

/// Where a SentencePiece vocabulary puts its "dummy" space.
enum class SpacePrefix : std::uint8_t {
  kNone,
  kEachText,         ///< Before the text, and before the text after each control token (Llama 2).
  kEachTextNoSpace,  ///< The same unless it begins with a space (Metaspace "always").
  kFirstText,        ///< Only before the first, unless it begins with a space (Metaspace "first").
};

/// What BERT does to a text before its words are looked up (Devlin et al. 2019, the reference's BertNormalizer).
struct WordPieceRules {
  bool cleans = true;          ///< Control characters go, white space becomes a space.
  bool separates_han = true;   ///< Each Chinese character is a word.
  bool strips_accents = true;  ///< Form D without its non-spacing marks: Korean becomes single jamo.
  bool lowercases = true;
  int max_word_chars = 100;  ///< A longer word is one unknown token.
};

/// What a unigram vocabulary does to a text before the best path is found.
struct UnigramRules {
  /// SentencePiece's precompiled map of characters (charsmap.h); empty where there is none.
  std::string charsmap;
  /// As Hugging Face's tokenizers: the map is asked for whole graphemes of fewer than 6 bytes, else for single
  /// characters, and scores are summed in f64. Otherwise as SentencePiece: the longest match, which composes jamo, and
  /// f32.
  bool as_hugging_face = false;
  bool strips_left = false;  ///< Spaces at the ends; with `as_hugging_face` all white space there.
  bool strips_right = false;
  bool joins_spaces = false;  ///< A run of spaces is one.
  bool splits_words = false;  ///< White space ends a text: what follows gets its own space prefix.
};

/// All that a tokenizer is made of, as a reader found it in a file.
struct TokenizerSpec {
  enum class Kind : std::uint8_t { kSpmBpe, kByteBpe, kWordPiece, kUnigram };
  enum class MergeOrder : std::uint8_t {
    kByScore,  ///< Any two tokens whose joined bytes are a token; the highest score first (SentencePiece).
    kById,     ///< The same, the lowest id first (tiktoken).
    kByList,   ///< `merges` alone.
  };

  Kind kind = Kind::kSpmBpe;
  MergeOrder merge_order = MergeOrder::kByScore;
  std::vector<TokenSpec> tokens;
  std::vector<MergeSpec> merges;
  PreTokenizer pre_tokenizer;  ///< Byte-level only.
  bool ignore_merges = false;  ///< A piece that is a token is taken whole (Llama 3).
  bool normalise_nfc = false;  ///< Qwen's tokenizer.json.
  SpacePrefix space_prefix = SpacePrefix::kNone;
  WordPieceRules word_piece;  ///< Tokens inside a word are spelt "##ing".
  UnigramRules unigram;
  int bos_id = -1;
  int eos_id = -1;
  int unk_id = -1;
  int pad_id = -1;
  bool adds_bos = false;
  std::vector<int> extra_stop_ids;  ///< From generation settings.
  std::string chat_template;
  std::string where;  ///< File, for messages.
};

/// Checks the spec (kCorrupt, naming the token or merge) and builds the tokenizer.
std::unique_ptr<Tokenizer> make_tokenizer(TokenizerSpec spec);

/// Text of a token as it stands in a file: GPT-2's letters for bytes back to bytes. A token with other letters (added
/// tokens) comes back as it is.
std::string bytes_of_byte_level(std::string_view piece);
/// U+2581 to space.
std::string bytes_of_sentencepiece(std::string_view piece);
/// The byte that "<0xHH>" names, or -1.
int byte_of_piece(std::string_view piece);
std::string piece_of_byte(char byte);
/// False, with `out` unspecified, unless `text` is base64 with its padding.
bool decode_base64(std::string_view text, std::string& out);
/// User-defined tokens of a byte-level vocabulary: those that look like markup ("<tool_call>") become kMarkup.
void mark_markup(TokenizerSpec& spec);

/// Readers. `where` names the file in messages; all sizes are checked against the bytes that are there.
TokenizerSpec read_gguf_tokenizer(const formats::Checkpoint& checkpoint);
TokenizerSpec read_tokenizer_json(std::string_view text, const std::string& where);
TokenizerSpec read_sentencepiece_model(std::string_view bytes, const std::string& where);
TokenizerSpec read_tiktoken(std::string_view text, const std::string& where);
/// vocab.txt: a WordPiece token a line.
TokenizerSpec read_word_list(std::string_view text, const std::string& where);
/// [CLS], [SEP], [PAD], [UNK] and [MASK] of a WordPiece vocabulary, by their spelling.
void mark_bert_tokens(TokenizerSpec& spec);
/// tokenizer_config.json: BOS, EOS, chat template; of a vocab.txt the rules too. generation_config.json: stop ids.
/// chat_template.jinja wins.
void read_tokenizer_config(const Json& config, TokenizerSpec& spec);
void read_generation_config(const Json& config, TokenizerSpec& spec);

}  // namespace onggi::text
