// Contractions in index notation, as matrix products in blocks that fit the caches (K. Goto, R. van de Geijn, 2008):
//   contract(q, "b t h k", h, "b t d", W, "h k d")   is   q[b,t,h,k] = sum[d](h[b,t,d] * W[h,k,d])
// An axis of both factors and of the result is a batch axis, one of both factors only is summed. A number in place of a name selects.
#pragma once

#include <sstream>

#include "fdl_arrays.hpp"

namespace fdl {

struct Strided {
  const float* data;
  std::vector<std::string> names;
  std::vector<i64> sizes, steps;
};

template <int Rank>
Strided strided(const Array<float, Rank>& x, const char* indices) {
  Strided made{x.data, {}, {}, {}};
  std::istringstream words(indices);
  std::string word;
  for (int axis = 0; words >> word; ++axis) {
    if (word[0] >= '0' && word[0] <= '9') {
      made.data += std::stoll(word) * x.step(axis);
    } else {
      made.names.push_back(word);
      made.sizes.push_back(x.size(axis));
      made.steps.push_back(x.step(axis));
    }
  }
  return made;
}

inline i64 step_along(const Strided& x, const std::string& name) {
  i64 step = 0;
  for (std::size_t n = 0; n < x.names.size(); ++n)
    if (x.names[n] == name) step += x.steps[n];
  return step;
}

#ifdef __AVX512F__
constexpr int TILE_ROWS = 8, TILE_COLUMNS = 32;
#else
constexpr int TILE_ROWS = 4, TILE_COLUMNS = 24;
#endif
constexpr i64 BLOCK_ROWS = TILE_ROWS * 16, BLOCK_COLUMNS = TILE_COLUMNS * 32, BLOCK_DEPTH = 256;

// One tile of the result; its sums stay in registers.
inline void tile(const float* a, const float* b, i64 depth, float* result) {
  float sums[TILE_ROWS][TILE_COLUMNS] = {};
  for (i64 k = 0; k < depth; ++k)
    for (int i = 0; i < TILE_ROWS; ++i)
      for (int j = 0; j < TILE_COLUMNS; ++j) sums[i][j] += a[k * TILE_ROWS + i] * b[k * TILE_COLUMNS + j];
  std::memcpy(result, sums, sizeof sums);
}

// Rows first ... first + count as tiles of `width` rows, depth by depth; what is missing in the last tile is 0.
inline void pack(const float* x, const i64* row, i64 count, const i64* deep, i64 depth, int width, float* packed) {
  for (i64 first = 0; first < count; first += width)
    for (i64 k = 0; k < depth; ++k)
      for (int n = 0; n < width; ++n) *packed++ = first + n < count ? x[row[first + n] + deep[k]] : 0.0f;
}

// result[rows, columns] = sum over depth of a[rows, depth] * b[columns, depth]; where each element lies is told by offsets.
struct Offsets {
  std::vector<i64> a, b, result;
};

inline bool is_dense(const std::vector<i64>& offset) {
  return offset.empty() || (offset.back() - offset.front() == static_cast<i64>(offset.size()) - 1 && std::is_sorted(offset.begin(), offset.end()));
}

inline void product_of_tiles(float* c, const float* a, const float* b, const Offsets& row, const Offsets& column, const Offsets& deep) {
  const i64 rows_there = static_cast<i64>(row.a.size()), columns = static_cast<i64>(column.b.size()), depth = static_cast<i64>(deep.a.size());
  static thread_local std::vector<float> left(BLOCK_ROWS * BLOCK_DEPTH), right(BLOCK_COLUMNS * BLOCK_DEPTH);
  float out[TILE_ROWS * TILE_COLUMNS];
  for (i64 j0 = 0; j0 < columns; j0 += BLOCK_COLUMNS) {
    const i64 wide = std::min(BLOCK_COLUMNS, columns - j0);
    for (i64 k0 = 0; k0 < depth; k0 += BLOCK_DEPTH) {
      const i64 many = std::min(BLOCK_DEPTH, depth - k0);
      pack(b, &column.b[j0], wide, &deep.b[k0], many, TILE_COLUMNS, right.data());
      for (i64 i0 = 0; i0 < rows_there; i0 += BLOCK_ROWS) {
        const i64 high = std::min(BLOCK_ROWS, rows_there - i0);
        pack(a, &row.a[i0], high, &deep.a[k0], many, TILE_ROWS, left.data());
        for (i64 j = 0; j < wide; j += TILE_COLUMNS)
          for (i64 i = 0; i < high; i += TILE_ROWS) {
            tile(&left[i * many], &right[j * many], many, out);
            const i64 last_row = std::min<i64>(TILE_ROWS, high - i), last_column = std::min<i64>(TILE_COLUMNS, wide - j);
            for (i64 m = 0; m < last_row; ++m)
              for (i64 n = 0; n < last_column; ++n) {
                float& place = c[row.result[i0 + i + m] + column.result[j0 + j + n]];
                place = (k0 ? place : 0.0f) + out[m * TILE_COLUMNS + n];
              }
          }
      }
    }
  }
}

// Few rows, as in decoding: packing would cost more than the product; b is read once, where it lies.
inline void product_of_few(float* c, const float* a, const float* b, const Offsets& row, const Offsets& column, const Offsets& deep) {
  const i64 rows_there = static_cast<i64>(row.a.size()), columns = static_cast<i64>(column.b.size()), depth = static_cast<i64>(deep.a.size());
  std::vector<float> left(static_cast<std::size_t>(rows_there * depth));
  for (i64 m = 0; m < rows_there; ++m)
    for (i64 k = 0; k < depth; ++k) left[m * depth + k] = a[row.a[m] + deep.a[k]];
  if (is_dense(deep.b)) {
    for (i64 n = 0; n < columns; ++n) {
      const float* const line = b + column.b[n] + deep.b[0];
      for (i64 m = 0; m < rows_there; ++m) {
        const float* const mine = &left[m * depth];
        c[row.result[m] + column.result[n]] = sum(depth, [&](i64 k) { return mine[k] * line[k]; });
      }
    }
    return;
  }
  std::vector<float> sums(static_cast<std::size_t>(columns));
  const bool dense = is_dense(column.b);
  for (i64 m = 0; m < rows_there; ++m) {
    std::fill(sums.begin(), sums.end(), 0.0f);
    for (i64 k = 0; k < depth; ++k) {
      const float factor = left[m * depth + k];
      const float* const line = b + deep.b[k];
      if (dense)
        for (i64 n = 0; n < columns; ++n) sums[n] += factor * line[column.b[0] + n];
      else
        for (i64 n = 0; n < columns; ++n) sums[n] += factor * line[column.b[n]];
    }
    for (i64 n = 0; n < columns; ++n) c[row.result[m] + column.result[n]] = sums[n];
  }
}

template <int RankC, int RankA, int RankB>
void contract(const Array<float, RankC>& result, const char* result_indices, const Array<float, RankA>& left, const char* left_indices,
              const Array<float, RankB>& right, const char* right_indices) {
  const Strided c = strided(result, result_indices);
  Strided a = strided(left, left_indices), b = strided(right, right_indices);
  if (step_along(c, c.names.back()) && step_along(a, c.names.back()) && !step_along(b, c.names.back())) std::swap(a, b);
  std::vector<std::string> names = c.names;
  for (const auto& name : a.names)
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  using Axes = std::vector<std::array<i64, 2>>;
  std::array<Axes, 4> of_a, of_b, of_c;  // batch, rows, columns, depth
  for (const auto& name : names) {
    const auto in = [&](const Strided& x) { return std::find(x.names.begin(), x.names.end(), name) != x.names.end(); };
    const Strided& one = in(a) ? a : b;
    const i64 size = one.sizes[std::find(one.names.begin(), one.names.end(), name) - one.names.begin()];
    const int kind = !in(c) ? 3 : in(a) && in(b) ? 0 : in(a) ? 1 : 2;
    of_a[kind].push_back({size, step_along(a, name)});
    of_b[kind].push_back({size, step_along(b, name)});
    of_c[kind].push_back({size, step_along(c, name)});
  }
  const auto all = [&](int kind) { return Offsets{offsets(of_a[kind]), offsets(of_b[kind]), offsets(of_c[kind])}; };
  const Offsets batch = all(0), row = all(1), column = all(2), deep = all(3);
  if (row.a.empty() || column.b.empty()) return;
  const bool few = row.a.size() < 4 || column.b.size() < 4 || deep.a.size() < 4;
  for (std::size_t n = 0; n < batch.a.size(); ++n)
    (few ? product_of_few : product_of_tiles)(result.data + batch.result[n], a.data + batch.a[n], b.data + batch.b[n], row, column, deep);
}

}  // namespace fdl
