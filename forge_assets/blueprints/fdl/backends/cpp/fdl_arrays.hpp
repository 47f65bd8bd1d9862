// Arrays and what runs over them: reductions, contractions, and elementwise functions that compilers turn into vector code.
// C++17 and its standard library only; comes with every module that Forge prints as C++.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

namespace fdl {

using i64 = std::int64_t;

[[noreturn]] inline void fail(const std::string& message) { throw std::runtime_error(message); }

// A dense row-major array of fixed rank. Copies share the data.
template <class T, int Rank>
struct Array {
  std::array<i64, Rank> shape{};
  std::shared_ptr<T[]> owner;
  T* data = nullptr;

  Array() = default;
  explicit Array(const std::array<i64, Rank>& sizes) : shape(sizes), owner(new T[count() > 0 ? count() : 1]), data(owner.get()) {}

  i64 size(int axis) const { return shape[axis]; }
  i64 count() const { return std::accumulate(shape.begin(), shape.end(), i64{1}, std::multiplies<i64>()); }
  i64 step(int axis) const { return std::accumulate(shape.begin() + axis + 1, shape.end(), i64{1}, std::multiplies<i64>()); }

  template <class... Index>
  T& operator()(i64 first, Index... rest) const {
    static_assert(sizeof...(rest) + 1 == Rank, "one index for each axis");
    i64 offset = first;
    int axis = 0;
    ((offset = offset * shape[++axis] + rest), ...);
    return data[offset];
  }

  // The element, or 0 where an index lies outside.
  template <class... Index>
  T inside(Index... index) const {
    int axis = 0;
    const bool is_inside = ((index >= 0 && index < shape[axis++]) && ...);
    return is_inside ? (*this)(index...) : T{};
  }
};

template <class T, std::size_t Rank>
Array<T, int(Rank)> zeros(const std::array<i64, Rank>& sizes) {
  Array<T, int(Rank)> made(sizes);
  std::fill_n(made.data, made.count(), T{});
  return made;
}

template <class T, int Rank>
Array<T, Rank> copy(const Array<T, Rank>& x) {
  Array<T, Rank> made(x.shape);
  std::copy_n(x.data, x.count(), made.data);
  return made;
}

// An index that was computed from data has to lie inside its axis.
inline i64 checked(i64 index, i64 size, const char* where) {
  if (index < 0 || index >= size) fail(std::string(where) + " is read at " + std::to_string(index) + ", which lies outside 0 to " + std::to_string(size - 1));
  return index;
}

// ---- elementwise functions; those without branches can be computed for many elements at once

template <class A, class B>
constexpr auto max(A a, B b) { return a > b ? a : static_cast<std::common_type_t<A, B>>(b); }
template <class A, class B>
constexpr auto min(A a, B b) { return a < b ? a : static_cast<std::common_type_t<A, B>>(b); }
template <class A, class B>
constexpr std::common_type_t<A, B> where(bool condition, A a, B b) { return condition ? static_cast<std::common_type_t<A, B>>(a) : static_cast<std::common_type_t<A, B>>(b); }

// 2^n * e^r with |r| <= ln(2)/2 and a polynomial for e^r (Cephes, S. Moshier); relative error below 1e-7.
inline float exp(float x) {
  const float bounded = min(max(x, -87.3f), 88.72f);
  const float n = std::nearbyint(bounded * 1.44269504088896341f);
  const float r = (bounded - n * 0.693359375f) + n * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = (p * r) * r + r + 1.0f;
  const float half = static_cast<float>(static_cast<std::int32_t>(n) / 2);  // two steps, for 2^n itself may be above the greatest float
  const std::int32_t low = (static_cast<std::int32_t>(half) + 127) << 23, high = (static_cast<std::int32_t>(n - half) + 127) << 23;
  float first, second;
  std::memcpy(&first, &low, sizeof first);
  std::memcpy(&second, &high, sizeof second);
  const float value = p * first * second;
  return x < -87.3f ? 0.0f : x > 88.72f ? std::numeric_limits<float>::infinity() : x == x ? value : x;
}
inline float sigmoid(float x) { return 1.0f / (1.0f + exp(-x)); }
inline float silu(float x) { return x * sigmoid(x); }
inline float tanh(float x) {
  const float t = std::fabs(x), s = x * x;
  float p = -5.70498872745e-3f;
  p = p * s + 2.06390887954e-2f;
  p = p * s - 5.37397155531e-2f;
  p = p * s + 1.33314422036e-1f;
  p = p * s - 3.33332819422e-1f;
  const float near = x + x * s * p, far = std::copysign(1.0f - 2.0f / (exp(t + t) + 1.0f), x);
  return t < 0.625f ? near : far;
}
// Two polynomials (N. Juffa, 2015); error about one unit in the last place.
inline float erf(float x) {
  const float t = std::fabs(x), s = x * x;
  float r = -1.72853470e-5f * t + 3.83197126e-4f;
  const float u = -3.88396438e-3f * t + 2.42546219e-2f;
  r = r * s + u;
  r = r * t - 1.06777877e-1f;
  r = r * t - 6.34846687e-1f;
  r = r * t - 1.28717512e-1f;
  r = r * t - t;
  const float far = std::copysign(1.0f - exp(r), x);
  float p = -5.96761703e-4f;
  p = p * s + 4.99119423e-3f;
  p = p * s - 2.67681349e-2f;
  p = p * s + 1.12819925e-1f;
  p = p * s - 3.76125336e-1f;
  p = p * s + 1.28379166e-1f;
  return t > 0.921875f ? far : p * x + x;
}
inline float softplus(float x) { return max(x, 0.0f) + std::log1p(exp(-std::fabs(x))); }
inline float rsqrt(float x) { return 1.0f / std::sqrt(x); }
inline float relu(float x) { return x > 0.0f ? x : 0.0f; }
inline i64 relu(i64 x) { return x > 0 ? x : 0; }
inline float sign(float x) { return static_cast<float>((x > 0.0f) - (x < 0.0f)); }
inline i64 sign(i64 x) { return (x > 0) - (x < 0); }
inline float abs(float x) { return std::fabs(x); }
inline i64 abs(i64 x) { return x < 0 ? -x : x; }
inline i64 floordiv(i64 a, i64 b) { return b == 0 ? fail("a whole number is divided by 0"), 0 : a / b - (a % b != 0 && (a < 0) != (b < 0)); }
inline float floordiv(float a, float b) { return std::floor(a / b); }
inline i64 mod(i64 a, i64 b) { return a - b * floordiv(a, b); }
inline float mod(float a, float b) { const float r = std::fmod(a, b); return r != 0.0f && (r < 0.0f) != (b < 0.0f) ? r + b : r; }
inline i64 power(i64 base, i64 exponent) {
  i64 result = 1;
  for (i64 n = 0; n < exponent; ++n) result *= base;
  return result;
}
inline float power(float base, float exponent) { return std::pow(base, exponent); }
template <int exponent, class T>
constexpr T power(T base) {
  T result = 1;
  for (int n = 0; n < exponent; ++n) result *= base;
  return result;
}

// ---- reductions of body(0) ... body(size - 1); sums have 16 partial ones, for speed and for exactness

template <class Body>
auto sum(i64 size, Body body) {
  using T = decltype(body(i64{0}));
  constexpr int lanes = 16;
  T partial[lanes] = {};
  i64 n = 0;
  for (; n + lanes <= size; n += lanes)
    for (int lane = 0; lane < lanes; ++lane) partial[lane] += body(n + lane);
  for (; n < size; ++n) partial[0] += body(n);
  for (int width = lanes / 2; width > 0; width /= 2)
    for (int lane = 0; lane < width; ++lane) partial[lane] += partial[lane + width];
  return partial[0];
}
template <class Body>
float mean(i64 size, Body body) { return sum(size, [&](i64 n) { return static_cast<float>(body(n)); }) / static_cast<float>(size); }
template <class Body>
auto greatest(i64 size, Body body) {
  auto found = body(0);
  for (i64 n = 1; n < size; ++n) found = max(found, body(n));
  return found;
}
template <class Body>
auto least(i64 size, Body body) {
  auto found = body(0);
  for (i64 n = 1; n < size; ++n) found = min(found, body(n));
  return found;
}
template <class Body>
float logsumexp(i64 size, Body body) {
  const float top = greatest(size, body);
  return top + std::log(sum(size, [&](i64 n) { return exp(static_cast<float>(body(n)) - top); }));
}

// ---- what runs over axes of whole arrays: `over` are the numbers of the axes

// Offsets of all elements along some axes, the last one fastest.
inline std::vector<i64> offsets(const std::vector<std::array<i64, 2>>& size_and_step) {
  std::vector<i64> found{0};
  for (const auto& [size, step] : size_and_step) {
    std::vector<i64> next;
    next.reserve(found.size() * static_cast<std::size_t>(std::max<i64>(size, 0)));
    for (const i64 start : found)
      for (i64 n = 0; n < size; ++n) next.push_back(start + n * step);
    found.swap(next);
  }
  return found;
}

// Calls work(start of a row, offsets within it) for each row along the axes `over`.
template <class T, int Rank, class Work>
void rows(const Array<T, Rank>& x, std::initializer_list<int> over, Work work) {
  std::vector<std::array<i64, 2>> inner, outer;
  for (int axis = 0; axis < Rank; ++axis) {
    const bool reduced = std::find(over.begin(), over.end(), axis) != over.end();
    (reduced ? inner : outer).push_back({x.size(axis), x.step(axis)});
  }
  const std::vector<i64> within = offsets(inner);
  for (const i64 start : offsets(outer)) work(start, within);
}

template <int Rank>
void softmax(const Array<float, Rank>& x, std::initializer_list<int> over) {
  std::vector<float> row;
  rows(x, over, [&](i64 start, const std::vector<i64>& within) {
    const i64 size = static_cast<i64>(within.size());
    const bool dense = size < 2 || within[size - 1] == size - 1;
    row.resize(within.size());
    float* const values = dense ? x.data + start : row.data();
    if (!dense)
      for (i64 n = 0; n < size; ++n) values[n] = x.data[start + within[n]];
    const float top = greatest(size, [&](i64 n) { return values[n]; });
    for (i64 n = 0; n < size; ++n) values[n] = exp(values[n] - top);
    const float scale = 1.0f / sum(size, [&](i64 n) { return values[n]; });
    for (i64 n = 0; n < size; ++n) x.data[start + within[n]] = values[n] * scale;
  });
}
template <class T, int Rank>
void cumsum(const Array<T, Rank>& x, std::initializer_list<int> over) {
  rows(x, over, [&](i64 start, const std::vector<i64>& within) {
    for (std::size_t n = 1; n < within.size(); ++n) x.data[start + within[n]] += x.data[start + within[n - 1]];
  });
}
// How many entries come before each one when sorted downward; equal ones by index.
template <class T, int Rank>
Array<i64, Rank> rank(const Array<T, Rank>& x, std::initializer_list<int> over) {
  Array<i64, Rank> result(x.shape);
  std::vector<i64> order;
  rows(x, over, [&](i64 start, const std::vector<i64>& within) {
    order.resize(within.size());
    std::iota(order.begin(), order.end(), i64{0});
    std::stable_sort(order.begin(), order.end(), [&](i64 a, i64 b) { return x.data[start + within[a]] > x.data[start + within[b]]; });
    for (std::size_t place = 0; place < order.size(); ++place) result.data[start + within[order[place]]] = static_cast<i64>(place);
  });
  return result;
}

// The entries of `part` put into `whole` along an axis, from `start` on.
template <class T, int Rank>
void put(const Array<T, Rank>& whole, const Array<T, Rank>& part, int axis, i64 start) {
  const i64 row = part.size(axis) * part.step(axis), rows_there = row ? part.count() / row : 0;
  for (i64 n = 0; n < rows_there; ++n)
    std::copy_n(part.data + n * row, row, whole.data + n * whole.size(axis) * whole.step(axis) + start * whole.step(axis));
}
template <class T, int Rank>
Array<T, Rank> slice(const Array<T, Rank>& x, int axis, i64 start, i64 size) {
  std::array<i64, Rank> shape = x.shape;
  shape[axis] = size;
  Array<T, Rank> made(shape);
  const i64 row = size * x.step(axis), rows_there = row ? made.count() / row : 0;
  for (i64 n = 0; n < rows_there; ++n)
    std::copy_n(x.data + n * x.size(axis) * x.step(axis) + start * x.step(axis), row, made.data + n * row);
  return made;
}
// What a cache holds, with the new entries after it.
template <class T, int Rank>
const Array<T, Rank>& appended(Array<T, Rank>& kept, const Array<T, Rank>& fresh, int axis) {
  if (!kept.data) return kept = fresh;
  std::array<i64, Rank> shape = fresh.shape;
  shape[axis] += kept.size(axis);
  Array<T, Rank> made(shape);
  put(made, kept, axis, 0);
  put(made, fresh, axis, kept.size(axis));
  return kept = made;
}
template <class T, int Rank>
Array<T, Rank> joined(const std::vector<Array<T, Rank>>& parts, int axis) {
  Array<T, Rank> whole;
  for (const auto& part : parts) appended(whole, part, axis);
  return whole;
}

}  // namespace fdl
