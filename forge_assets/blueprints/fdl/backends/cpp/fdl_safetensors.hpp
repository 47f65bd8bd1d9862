// Reads and writes safetensors files (github.com/huggingface/safetensors): 8 bytes with the header's length, the header as JSON, the data.
// C++17 and its standard library only; comes with every module that Forge prints as C++.
#pragma once

#include <fstream>
#include <map>

#include "fdl_arrays.hpp"

namespace fdl {

struct Stored {
  std::string dtype;
  std::vector<i64> shape;
  i64 begin = 0, end = 0;
};

// The little of JSON that headers are made of: objects, strings, whole numbers and lists of them.
class Header {
 public:
  Header(const std::string& text, std::map<std::string, Stored>& tensors, std::map<std::string, std::string>& metadata) : text_(text) {
    object([&](const std::string& name) {
      if (name == "__metadata__")
        object([&](const std::string& key) { metadata[key] = string(); });
      else
        tensors[name] = stored();
    });
  }

 private:
  const std::string& text_;
  std::size_t at_ = 0;

  char peek() {
    while (at_ < text_.size() && std::strchr(" \t\r\n", text_[at_])) ++at_;
    if (at_ >= text_.size()) fail("the header of the safetensors file ends too early");
    return text_[at_];
  }
  void expect(char wanted) {
    if (peek() != wanted) fail(std::string("the header of the safetensors file is no JSON: expected ") + wanted + " at byte " + std::to_string(at_));
    ++at_;
  }
  bool next(char closing) {
    if (peek() == ',') return ++at_, true;
    return expect(closing), false;
  }
  template <class Entry>
  void object(Entry entry) {
    expect('{');
    if (peek() == '}') { ++at_; return; }
    do {
      const std::string name = string();
      expect(':');
      entry(name);
    } while (next('}'));
  }
  std::string string() {
    expect('"');
    std::string made;
    while (at_ < text_.size() && text_[at_] != '"') {
      if (text_[at_] == '\\' && ++at_ < text_.size()) escape(made);
      else if (at_ < text_.size()) made += text_[at_++];
    }
    expect('"');
    return made;
  }
  void escape(std::string& made) {
    const char kind = text_[at_++];
    if (kind != 'u') {
      const char* const known = std::strchr("n\nt\tr\rb\bf\f", kind);
      made += known ? known[1] : kind;
      return;
    }
    if (at_ + 4 > text_.size()) fail("the header of the safetensors file ends too early");
    const unsigned code = static_cast<unsigned>(std::stoul(text_.substr(at_, 4), nullptr, 16));
    at_ += 4;
    if (code < 0x80) { made += static_cast<char>(code); return; }
    if (code >= 0x800) made += static_cast<char>(0xE0 | code >> 12);
    made += static_cast<char>(code >= 0x800 ? 0x80 | (code >> 6 & 0x3F) : 0xC0 | code >> 6);
    made += static_cast<char>(0x80 | (code & 0x3F));
  }
  i64 number() {
    peek();
    const std::size_t start = at_;
    while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') ++at_;
    if (at_ == start || at_ - start > 18) fail("the header of the safetensors file has no whole number at byte " + std::to_string(start));
    return std::stoll(text_.substr(start, at_ - start));
  }
  std::vector<i64> numbers() {
    std::vector<i64> made;
    expect('[');
    if (peek() == ']') return ++at_, made;
    do made.push_back(number());
    while (next(']'));
    return made;
  }
  Stored stored() {
    Stored made;
    object([&](const std::string& key) {
      if (key == "dtype") {
        made.dtype = string();
      } else if (key == "shape") {
        made.shape = numbers();
      } else {
        const std::vector<i64> ends = numbers();
        if (key != "data_offsets" || ends.size() != 2) fail("the header of the safetensors file has an entry it may not have: " + key);
        made.begin = ends[0], made.end = ends[1];
      }
    });
    return made;
  }
};

inline std::string shown(const std::vector<i64>& shape) {
  std::string made = "[";
  for (const i64 size : shape) made += (made.size() > 1 ? ", " : "") + std::to_string(size);
  return made + "]";
}

class Safetensors {
 public:
  std::map<std::string, Stored> tensors;
  std::map<std::string, std::string> metadata;

  explicit Safetensors(const std::string& path) : path_(path), file_(path, std::ios::binary) {
    unsigned char length[8];
    if (!file_.read(reinterpret_cast<char*>(length), 8)) fail(path + " cannot be read as a safetensors file");
    std::uint64_t size = 0;
    for (int n = 7; n >= 0; --n) size = size << 8 | length[n];
    file_.seekg(0, std::ios::end);
    const std::uint64_t whole = static_cast<std::uint64_t>(file_.tellg());
    if (size > whole - 8 || size > 100000000) fail(path + " is no safetensors file: its header would be longer than the file");
    std::string header(size, ' ');
    file_.seekg(8);
    file_.read(header.data(), static_cast<std::streamsize>(size));
    Header(header, tensors, metadata);
    start_ = 8 + static_cast<i64>(size);
    for (const auto& [name, one] : tensors) check(name, one, static_cast<i64>(whole) - start_);
  }

  // A tensor in the shape it is used in; in the file neighbouring axes may be one. Asked for twice it is the same array.
  template <int Rank>
  Array<float, Rank> read(const std::string& name, const std::array<i64, Rank>& shape) {
    const Stored& one = find(name);
    const std::vector<i64> wanted(shape.begin(), shape.end());
    if (!merges(wanted, one.shape)) fail(name + " has the shape " + shown(one.shape) + " in " + path_ + ", which is no grouping of " + shown(wanted));
    Array<float, Rank> made;
    made.shape = shape;
    std::shared_ptr<float[]>& shared = shared_[name];
    if (!shared) shared = floats(one);
    made.owner = shared;
    made.data = shared.get();
    return made;
  }
  // An input, in the shape it has.
  template <class T, int Rank>
  Array<T, Rank> input(const std::string& name) {
    const Stored& one = find(name);
    std::array<i64, Rank> shape{};
    if (one.shape.size() != Rank) fail("input " + name + " has the shape " + shown(one.shape) + ", expected " + std::to_string(Rank) + " dimensions");
    std::copy(one.shape.begin(), one.shape.end(), shape.begin());
    Array<T, Rank> made(shape);
    if (one.dtype == "I64") {
      const auto values = raw<i64>(one);
      std::copy(values.begin(), values.end(), made.data);
    } else if (one.dtype == "BOOL") {
      const auto values = raw<char>(one);
      std::copy(values.begin(), values.end(), made.data);
    } else {
      std::copy_n(floats(one).get(), made.count(), made.data);
    }
    return made;
  }

 private:
  std::string path_;
  std::ifstream file_;
  i64 start_ = 0;
  std::map<std::string, std::shared_ptr<float[]>> shared_;

  // Whether `stored` are the products of runs of `axes`.
  static bool merges(const std::vector<i64>& axes, const std::vector<i64>& stored) {
    std::size_t at = 0;
    for (const i64 whole : stored) {
      i64 product = 1;
      while (at < axes.size() && (product < whole || axes[at] == 1)) product *= axes[at++];
      if (product != whole) return false;
    }
    while (at < axes.size() && axes[at] == 1) ++at;
    return at == axes.size();
  }
  static i64 width(const std::string& dtype) {
    static const std::map<std::string, i64> known{{"F64", 8}, {"I64", 8}, {"F32", 4}, {"I32", 4}, {"F16", 2}, {"BF16", 2}, {"I8", 1}, {"U8", 1}, {"BOOL", 1}};
    const auto found = known.find(dtype);
    return found == known.end() ? 0 : found->second;
  }
  const Stored& find(const std::string& name) const {
    const auto found = tensors.find(name);
    if (found == tensors.end()) fail(path_ + " has no tensor " + name);
    return found->second;
  }
  void check(const std::string& name, const Stored& one, i64 room) const {
    i64 bytes = width(one.dtype);
    for (const i64 size : one.shape) {
      if (size != 0 && bytes > room / size) fail(name + " in " + path_ + " is larger than the file");
      bytes *= size;
    }
    if (one.begin < 0 || one.end < one.begin || one.end > room) fail(name + " in " + path_ + " lies outside the file");
    if (width(one.dtype) && one.end - one.begin != bytes) fail(name + " in " + path_ + " has another number of bytes than its shape says");
  }
  template <class T>
  std::vector<T> raw(const Stored& one) {
    std::vector<T> values(static_cast<std::size_t>(one.end - one.begin) / sizeof(T));
    file_.clear();
    file_.seekg(start_ + one.begin);
    if (!file_.read(reinterpret_cast<char*>(values.data()), static_cast<std::streamsize>(values.size() * sizeof(T)))) fail(path_ + " cannot be read to its end");
    return values;
  }
  template <class T, class Change>
  std::shared_ptr<float[]> changed(const Stored& one, Change change) {
    const std::vector<T> values = raw<T>(one);
    std::shared_ptr<float[]> made(new float[values.size() + 1]);
    std::transform(values.begin(), values.end(), made.get(), change);
    return made;
  }
  static float from_bits(std::uint32_t bits) {
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
  }
  static float from_half(std::uint16_t half) {
    const std::uint32_t sign = (half & 0x8000u) << 16, exponent = half >> 10 & 31, fraction = half & 0x3FFu;
    if (exponent == 31) return from_bits(sign | 0x7F800000u | fraction << 13);
    if (exponent) return from_bits(sign | (exponent + 112) << 23 | fraction << 13);
    return (sign ? -1.0f : 1.0f) * std::ldexp(static_cast<float>(fraction), -24);
  }
  std::shared_ptr<float[]> floats(const Stored& one) {
    if (one.dtype == "F32") return changed<float>(one, [](float x) { return x; });
    if (one.dtype == "F64") return changed<double>(one, [](double x) { return static_cast<float>(x); });
    if (one.dtype == "BF16") return changed<std::uint16_t>(one, [](std::uint16_t x) { return from_bits(static_cast<std::uint32_t>(x) << 16); });
    if (one.dtype == "F16") return changed<std::uint16_t>(one, from_half);
    if (one.dtype == "I32") return changed<std::int32_t>(one, [](std::int32_t x) { return static_cast<float>(x); });
    fail("tensors of dtype " + one.dtype + " are not read; expected F32, F64, BF16, F16 or I32");
  }
};

class Writer {
 public:
  template <class T, int Rank>
  void add(const std::string& name, const Array<T, Rank>& x) { put(name, x.data, x.count(), std::vector<i64>(x.shape.begin(), x.shape.end())); }
  template <class T>
  void add(const std::string& name, const T& scalar) { put(name, &scalar, 1, {}); }

  void write(const std::string& path) const {
    std::string header = "{" + header_ + "}";
    header.resize((header.size() + 7) / 8 * 8, ' ');
    unsigned char length[8];
    for (int n = 0; n < 8; ++n) length[n] = static_cast<unsigned char>(static_cast<std::uint64_t>(header.size()) >> 8 * n);
    std::ofstream file(path, std::ios::binary);
    file.write(reinterpret_cast<const char*>(length), 8);
    file << header;
    file.write(data_.data(), static_cast<std::streamsize>(data_.size()));
    if (!file.flush()) fail(path + " cannot be written");
  }

 private:
  std::string header_, data_;

  template <class T>
  void put(const std::string& name, const T* values, i64 count, const std::vector<i64>& shape) {
    const char* const dtype = std::is_same_v<T, float> ? "F32" : std::is_same_v<T, i64> ? "I64" : "BOOL";
    const std::size_t begin = data_.size();
    data_.append(reinterpret_cast<const char*>(values), static_cast<std::size_t>(count) * sizeof(T));
    header_ += (header_.empty() ? "" : ",") + ("\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shown(shape));
    header_ += ",\"data_offsets\":[" + std::to_string(begin) + "," + std::to_string(data_.size()) + "]}";
  }
};

}  // namespace fdl
