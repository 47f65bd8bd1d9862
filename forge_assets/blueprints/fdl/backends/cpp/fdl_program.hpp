// What a printed program does around its model: options, inputs, results, time.
// C++17 and its standard library only; comes with every module that Forge prints as C++.
#pragma once

#include <chrono>
#include <cstdio>
#include <iostream>
#include <sstream>
#include <tuple>

#include "fdl_safetensors.hpp"

namespace fdl {

struct Options {
  std::string weights, inputs, output, name, sizes, ids;
  std::vector<i64> steps;
  i64 repeat = 0;
};

// The best time of several runs is told on stderr.
template <class Work>
auto timed(const Options& options, Work work) {
  auto result = work();
  double best = 1e30;
  for (i64 n = 0; n < options.repeat; ++n) {
    const auto start = std::chrono::steady_clock::now();
    result = work();
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  if (options.repeat) std::fprintf(stderr, "seconds %.6f\n", best);
  return result;
}

// `d=64,f=256`
template <class Sizes>
Sizes sizes_of(const std::string& text) {
  Sizes sizes;
  std::istringstream words(text);
  for (std::string word; std::getline(words, word, ',');) {
    const std::size_t sign = word.find('=');
    if (sign == std::string::npos) fail("--sizes takes name=number, found " + word);
    sizes.set(word.substr(0, sign), std::stoll(word.substr(sign + 1)));
  }
  return sizes;
}

// `4,1,2`
inline std::vector<i64> numbers(const std::string& text) {
  std::vector<i64> made;
  std::istringstream words(text);
  for (std::string word; std::getline(words, word, ',');) made.push_back(std::stoll(word));
  return made;
}

// The input of a model that reads token ids: from the command line, as one row, or from the file of inputs.
template <class T, int Rank>
Array<T, Rank> input(const Options& options, Safetensors* file, const std::string& name) {
  if constexpr (std::is_same_v<T, i64> && Rank == 2)
    if (!file) {
      const std::vector<i64> ids = numbers(options.ids);
      Array<i64, 2> made({1, static_cast<i64>(ids.size())});
      std::copy(ids.begin(), ids.end(), made.data);
      return made;
    }
  if (!file) fail("input " + name + " is needed: give --inputs FILE.safetensors");
  return file->input<T, Rank>(name);
}

// Everything into the file, or the last row of the first result as lines of number and value.
struct Results {
  Writer writer;
  bool told = false;
  bool to_file;

  template <class T, int Rank>
  void add(const std::string& name, const Array<T, Rank>& x) {
    writer.add(name, x);
    if (to_file || told) return;
    told = true;
    const i64 width = x.size(Rank - 1);
    for (i64 n = 0; n < width; ++n) std::cout << n << '\t' << x.data[x.count() - width + n] << '\n';
  }
  template <class T, std::enable_if_t<std::is_arithmetic_v<T>, int> = 0>
  void add(const std::string& name, const T& scalar) {
    writer.add(name, scalar);
    if (!to_file) std::cout << name << '\t' << scalar << '\n';
  }
};

// What there is to run a model or fragment with.
struct Task {
  const Options& options;
  Safetensors& weights;
  Safetensors* inputs;
  Results& results;

  // How many positions each step has: those of --steps, the last one again and again.
  std::vector<i64> steps(i64 length) const {
    std::vector<i64> made;
    for (i64 done = 0; done < length; done += made.back()) {
      const i64 next = options.steps[std::min(made.size(), options.steps.size() - 1)];
      if (next < 1) fail("--steps takes numbers above 0");
      made.push_back(std::min(next, length - done));
    }
    return made;
  }

  template <class T, int Rank>
  Array<T, Rank> input(const std::string& name) const { return fdl::input<T, Rank>(options, inputs, name); }
};

inline Options options_of(int count, char** words) {
  Options made;
  for (int n = 1; n < count; ++n) {
    const std::string word = words[n];
    if (word.rfind("--", 0) != 0) { made.weights = word; continue; }
    if (n + 1 == count) fail(word + " takes a value");
    const std::string value = words[++n];
    if (word == "--sizes") made.sizes = value;
    else if (word == "--ids") made.ids = value;
    else if (word == "--inputs") made.inputs = value;
    else if (word == "--output") made.output = value;
    else if (word == "--run") made.name = value;
    else if (word == "--steps") made.steps = numbers(value);
    else if (word == "--repeat") made.repeat = std::stoll(value);
    else fail("there is no option " + word);
  }
  if (made.weights.empty())
    fail("usage: model MODEL.safetensors --sizes NAME=N,... (--ids N,N,... | --inputs FILE) [--output FILE] [--steps N,...] [--repeat N] [--run NAME]");
  return made;
}

// Reads the options, hands weights, sizes and inputs to `work`, writes the results; the exit status of the program.
template <class Sizes, class Work>
int program(int count, char** words, Work work) {
  try {
    const Options options = options_of(count, words);
    Safetensors weights(options.weights);
    const auto given = weights.metadata.find("sizes");
    const Sizes sizes = sizes_of<Sizes>(options.sizes.empty() && given != weights.metadata.end() ? given->second : options.sizes);
    std::unique_ptr<Safetensors> inputs(options.inputs.empty() ? nullptr : new Safetensors(options.inputs));
    Results results;
    results.to_file = !options.output.empty();
    work(Task{options, weights, inputs.get(), results}, sizes);
    if (results.to_file) results.writer.write(options.output);
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "model: " << error.what() << '\n';
    return 1;
  }
}

}  // namespace fdl
