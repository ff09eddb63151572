using Datacake.Data;

namespace Datacake.Dashboard.Queries;

/// <summary>
/// The shapes of the queries of the node. Their number is bounded: the shape that was not seen for the longest time makes room for a new one.
/// Thread-safe.
/// </summary>
sealed class QueryShapeList(int maxShapes, TimeProvider time)
{
    readonly Lock _lock = new();
    readonly Dictionary<(string Shape, string Plan), QueryShape> _shapes = [];

    /// <summary>Gets the number of shapes that made room for others.</summary>
    public long Evicted { get; private set; }

    public void Add(ObservedQuery query) => Add(
        new QueryShape(
            query.Shape, query.Plan, query.Tags, query.Remedy, 1, query.HasFailed ? 1 : 0, query.Elapsed, query.Elapsed, query.DocumentsRead, query.Results, time.GetUtcNow()));

    /// <summary>Adds one run.</summary>
    internal void Add(QueryShape run)
    {
        var key = (run.Shape, run.Plan);
        lock (_lock)
        {
            if (_shapes.TryGetValue(key, out var known))
            {
                _shapes[key] = known with
                {
                    Tags = run.Tags,
                    Remedy = run.Remedy ?? known.Remedy,
                    Runs = known.Runs + 1,
                    Failures = known.Failures + run.Failures,
                    Total = known.Total + run.Total,
                    Longest = known.Longest > run.Longest ? known.Longest : run.Longest,
                    DocumentsRead = known.DocumentsRead + run.DocumentsRead,
                    Results = known.Results + run.Results,
                    LastRun = run.LastRun,
                };
                return;
            }
            if (_shapes.Count >= maxShapes)
            {
                _shapes.Remove(_shapes.MinBy(static pair => pair.Value.LastRun).Key);
                Evicted++;
            }
            _shapes.Add(key, run);
        }
    }

    /// <summary>Returns all shapes, in the given order.</summary>
    public IReadOnlyList<QueryShape> Sorted(QueryOrder order)
    {
        lock (_lock)
        {
            return [.. order switch
            {
                QueryOrder.Slowest => _shapes.Values.OrderByDescending(static shape => shape.Longest),
                QueryOrder.Frequent => _shapes.Values.OrderByDescending(static shape => shape.Runs),
                QueryOrder.Read => _shapes.Values.OrderByDescending(static shape => shape.DocumentsRead),
                _ => _shapes.Values.OrderByDescending(static shape => shape.Total),
            }];
        }
    }
}
