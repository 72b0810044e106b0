#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "onggi/cluster/points.h"

namespace onggi::cluster {

using Place = std::array<double, 2>;

/// Along the first two principal components.
std::vector<Place> project_pca(const Vectors& vectors, ThreadPool& pool);

struct TsneOptions {
  double perplexity = 30;  ///< Neighbours that count, about; less where there are few points.
  int num_iterations = 500;
};

/// t-SNE (van der Maaten and Hinton 2008) with attraction along each point's 3 * perplexity nearest neighbours, exact
/// repulsion, and the first two principal components to begin with, so that there is nothing random in it. Time grows
/// with the square of the points; throws kInvalidArgument past 20,000. The same bits with any number of threads.
std::vector<Place> project_tsne(const Points& points, const TsneOptions& options, ThreadPool& pool,
                                const Report& report = {});

}  // namespace onggi::cluster
