using System.Linq.Expressions;

namespace Datacake.Data;

public abstract partial class Query<T>
{
    /// <summary>Returns the smallest value, or null if there is no value other than null. Strings compare ordinally.</summary>
    /// <exception cref="InvalidOperationException">There are no results, and the type cannot be null.</exception>
    public Task<TResult?> MinAsync<TResult>(Expression<Func<T, TResult>> selector, CancellationToken cancellationToken = default) =>
        Operator.ExtremeAsync(selector, isGreatest: false, cancellationToken);

    /// <summary>Returns the greatest value, or null if there is no value other than null. Strings compare ordinally.</summary>
    /// <exception cref="InvalidOperationException">There are no results, and the type cannot be null.</exception>
    public Task<TResult?> MaxAsync<TResult>(Expression<Func<T, TResult>> selector, CancellationToken cancellationToken = default) =>
        Operator.ExtremeAsync(selector, isGreatest: true, cancellationToken);

    /// <summary>Returns the sum of the values, or zero if there are none.</summary>
    /// <exception cref="OverflowException">The sum is out of the range of its type.</exception>
    public async Task<int> SumAsync(Expression<Func<T, int>> selector, CancellationToken cancellationToken = default) =>
        int.CreateChecked((await Operator.TotalAsync<int, Int128>(selector, cancellationToken).ConfigureAwait(false)).Sum);

    /// <summary>Returns the sum of the values that are not null, or zero if there are none.</summary>
    /// <exception cref="OverflowException">The sum is out of the range of its type.</exception>
    public async Task<int> SumAsync(Expression<Func<T, int?>> selector, CancellationToken cancellationToken = default) =>
        int.CreateChecked((await Operator.TotalAsync<int, Int128>(selector, cancellationToken).ConfigureAwait(false)).Sum);

    /// <summary>Returns the sum of the values, or zero if there are none.</summary>
    /// <exception cref="OverflowException">The sum is out of the range of its type.</exception>
    public async Task<long> SumAsync(Expression<Func<T, long>> selector, CancellationToken cancellationToken = default) =>
        long.CreateChecked((await Operator.TotalAsync<long, Int128>(selector, cancellationToken).ConfigureAwait(false)).Sum);

    /// <summary>Returns the sum of the values that are not null, or zero if there are none.</summary>
    /// <exception cref="OverflowException">The sum is out of the range of its type.</exception>
    public async Task<long> SumAsync(Expression<Func<T, long?>> selector, CancellationToken cancellationToken = default) =>
        long.CreateChecked((await Operator.TotalAsync<long, Int128>(selector, cancellationToken).ConfigureAwait(false)).Sum);

    /// <summary>Returns the sum of the values, or zero if there are none.</summary>
    public async Task<float> SumAsync(Expression<Func<T, float>> selector, CancellationToken cancellationToken = default) =>
        (float)(await Operator.TotalAsync<float, double>(selector, cancellationToken).ConfigureAwait(false)).Sum;

    /// <summary>Returns the sum of the values that are not null, or zero if there are none.</summary>
    public async Task<float> SumAsync(Expression<Func<T, float?>> selector, CancellationToken cancellationToken = default) =>
        (float)(await Operator.TotalAsync<float, double>(selector, cancellationToken).ConfigureAwait(false)).Sum;

    /// <summary>Returns the sum of the values, or zero if there are none.</summary>
    public async Task<double> SumAsync(Expression<Func<T, double>> selector, CancellationToken cancellationToken = default) =>
        (await Operator.TotalAsync<double, double>(selector, cancellationToken).ConfigureAwait(false)).Sum;

    /// <summary>Returns the sum of the values that are not null, or zero if there are none.</summary>
    public async Task<double> SumAsync(Expression<Func<T, double?>> selector, CancellationToken cancellationToken = default) =>
        (await Operator.TotalAsync<double, double>(selector, cancellationToken).ConfigureAwait(false)).Sum;

    /// <summary>Returns the sum of the values, or zero if there are none.</summary>
    /// <exception cref="OverflowException">The sum is out of the range of its type.</exception>
    public async Task<decimal> SumAsync(Expression<Func<T, decimal>> selector, CancellationToken cancellationToken = default) =>
        (await Operator.TotalAsync<decimal, decimal>(selector, cancellationToken).ConfigureAwait(false)).Sum;

    /// <summary>Returns the sum of the values that are not null, or zero if there are none.</summary>
    /// <exception cref="OverflowException">The sum is out of the range of its type.</exception>
    public async Task<decimal> SumAsync(Expression<Func<T, decimal?>> selector, CancellationToken cancellationToken = default) =>
        (await Operator.TotalAsync<decimal, decimal>(selector, cancellationToken).ConfigureAwait(false)).Sum;

    /// <summary>Returns the average of the values.</summary>
    /// <exception cref="InvalidOperationException">There are no results.</exception>
    public async Task<double> AverageAsync(Expression<Func<T, int>> selector, CancellationToken cancellationToken = default) =>
        Average(await Operator.TotalAsync<int, Int128>(selector, cancellationToken).ConfigureAwait(false)) ?? throw NoResults();

    /// <summary>Returns the average of the values that are not null, or null if there are none.</summary>
    public async Task<double?> AverageAsync(Expression<Func<T, int?>> selector, CancellationToken cancellationToken = default) =>
        Average(await Operator.TotalAsync<int, Int128>(selector, cancellationToken).ConfigureAwait(false));

    /// <summary>Returns the average of the values.</summary>
    /// <exception cref="InvalidOperationException">There are no results.</exception>
    public async Task<double> AverageAsync(Expression<Func<T, long>> selector, CancellationToken cancellationToken = default) =>
        Average(await Operator.TotalAsync<long, Int128>(selector, cancellationToken).ConfigureAwait(false)) ?? throw NoResults();

    /// <summary>Returns the average of the values that are not null, or null if there are none.</summary>
    public async Task<double?> AverageAsync(Expression<Func<T, long?>> selector, CancellationToken cancellationToken = default) =>
        Average(await Operator.TotalAsync<long, Int128>(selector, cancellationToken).ConfigureAwait(false));

    /// <summary>Returns the average of the values.</summary>
    /// <exception cref="InvalidOperationException">There are no results.</exception>
    public async Task<float> AverageAsync(Expression<Func<T, float>> selector, CancellationToken cancellationToken = default) =>
        (float)(Average(await Operator.TotalAsync<float, double>(selector, cancellationToken).ConfigureAwait(false)) ?? throw NoResults());

    /// <summary>Returns the average of the values that are not null, or null if there are none.</summary>
    public async Task<float?> AverageAsync(Expression<Func<T, float?>> selector, CancellationToken cancellationToken = default) =>
        Average(await Operator.TotalAsync<float, double>(selector, cancellationToken).ConfigureAwait(false)) is { } average ? (float)average : null;

    /// <summary>Returns the average of the values.</summary>
    /// <exception cref="InvalidOperationException">There are no results.</exception>
    public async Task<double> AverageAsync(Expression<Func<T, double>> selector, CancellationToken cancellationToken = default) =>
        Average(await Operator.TotalAsync<double, double>(selector, cancellationToken).ConfigureAwait(false)) ?? throw NoResults();

    /// <summary>Returns the average of the values that are not null, or null if there are none.</summary>
    public async Task<double?> AverageAsync(Expression<Func<T, double?>> selector, CancellationToken cancellationToken = default) =>
        Average(await Operator.TotalAsync<double, double>(selector, cancellationToken).ConfigureAwait(false));

    /// <summary>Returns the average of the values.</summary>
    /// <exception cref="InvalidOperationException">There are no results.</exception>
    public async Task<decimal> AverageAsync(Expression<Func<T, decimal>> selector, CancellationToken cancellationToken = default) =>
        Average(await Operator.TotalAsync<decimal, decimal>(selector, cancellationToken).ConfigureAwait(false)) ?? throw NoResults();

    /// <summary>Returns the average of the values that are not null, or null if there are none.</summary>
    public async Task<decimal?> AverageAsync(Expression<Func<T, decimal?>> selector, CancellationToken cancellationToken = default) =>
        Average(await Operator.TotalAsync<decimal, decimal>(selector, cancellationToken).ConfigureAwait(false));

    static double? Average((Int128 Sum, long Count) total) => total.Count == 0 ? null : (double)total.Sum / total.Count;

    static double? Average((double Sum, long Count) total) => total.Count == 0 ? null : total.Sum / total.Count;

    static decimal? Average((decimal Sum, long Count) total) => total.Count == 0 ? null : total.Sum / total.Count;
}
