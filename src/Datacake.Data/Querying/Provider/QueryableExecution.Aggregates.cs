using System.Linq.Expressions;

namespace Datacake.Data;

public static partial class QueryableExecution
{
    /// <summary>Returns the sum of the values, or zero if there are none.</summary>
    public static Task<int> SumAsync<T>(this IQueryable<T> source, Expression<Func<T, int>> selector, CancellationToken cancellationToken = default) =>
        Of(source).SumAsync(selector, cancellationToken);

    /// <summary>Returns the sum of the values that are not null, or zero if there are none.</summary>
    public static Task<int> SumAsync<T>(this IQueryable<T> source, Expression<Func<T, int?>> selector, CancellationToken cancellationToken = default) =>
        Of(source).SumAsync(selector, cancellationToken);

    /// <summary>Returns the sum of the values, or zero if there are none.</summary>
    public static Task<long> SumAsync<T>(this IQueryable<T> source, Expression<Func<T, long>> selector, CancellationToken cancellationToken = default) =>
        Of(source).SumAsync(selector, cancellationToken);

    /// <summary>Returns the sum of the values that are not null, or zero if there are none.</summary>
    public static Task<long> SumAsync<T>(this IQueryable<T> source, Expression<Func<T, long?>> selector, CancellationToken cancellationToken = default) =>
        Of(source).SumAsync(selector, cancellationToken);

    /// <summary>Returns the sum of the values, or zero if there are none.</summary>
    public static Task<float> SumAsync<T>(this IQueryable<T> source, Expression<Func<T, float>> selector, CancellationToken cancellationToken = default) =>
        Of(source).SumAsync(selector, cancellationToken);

    /// <summary>Returns the sum of the values that are not null, or zero if there are none.</summary>
    public static Task<float> SumAsync<T>(this IQueryable<T> source, Expression<Func<T, float?>> selector, CancellationToken cancellationToken = default) =>
        Of(source).SumAsync(selector, cancellationToken);

    /// <summary>Returns the sum of the values, or zero if there are none.</summary>
    public static Task<double> SumAsync<T>(this IQueryable<T> source, Expression<Func<T, double>> selector, CancellationToken cancellationToken = default) =>
        Of(source).SumAsync(selector, cancellationToken);

    /// <summary>Returns the sum of the values that are not null, or zero if there are none.</summary>
    public static Task<double> SumAsync<T>(this IQueryable<T> source, Expression<Func<T, double?>> selector, CancellationToken cancellationToken = default) =>
        Of(source).SumAsync(selector, cancellationToken);

    /// <summary>Returns the sum of the values, or zero if there are none.</summary>
    public static Task<decimal> SumAsync<T>(this IQueryable<T> source, Expression<Func<T, decimal>> selector, CancellationToken cancellationToken = default) =>
        Of(source).SumAsync(selector, cancellationToken);

    /// <summary>Returns the sum of the values that are not null, or zero if there are none.</summary>
    public static Task<decimal> SumAsync<T>(this IQueryable<T> source, Expression<Func<T, decimal?>> selector, CancellationToken cancellationToken = default) =>
        Of(source).SumAsync(selector, cancellationToken);

    /// <summary>Returns the average of the values.</summary>
    /// <exception cref="InvalidOperationException">There are no results.</exception>
    public static Task<double> AverageAsync<T>(this IQueryable<T> source, Expression<Func<T, int>> selector, CancellationToken cancellationToken = default) =>
        Of(source).AverageAsync(selector, cancellationToken);

    /// <summary>Returns the average of the values that are not null, or null if there are none.</summary>
    public static Task<double?> AverageAsync<T>(this IQueryable<T> source, Expression<Func<T, int?>> selector, CancellationToken cancellationToken = default) =>
        Of(source).AverageAsync(selector, cancellationToken);

    /// <summary>Returns the average of the values.</summary>
    /// <exception cref="InvalidOperationException">There are no results.</exception>
    public static Task<double> AverageAsync<T>(this IQueryable<T> source, Expression<Func<T, long>> selector, CancellationToken cancellationToken = default) =>
        Of(source).AverageAsync(selector, cancellationToken);

    /// <summary>Returns the average of the values that are not null, or null if there are none.</summary>
    public static Task<double?> AverageAsync<T>(this IQueryable<T> source, Expression<Func<T, long?>> selector, CancellationToken cancellationToken = default) =>
        Of(source).AverageAsync(selector, cancellationToken);

    /// <summary>Returns the average of the values.</summary>
    /// <exception cref="InvalidOperationException">There are no results.</exception>
    public static Task<float> AverageAsync<T>(this IQueryable<T> source, Expression<Func<T, float>> selector, CancellationToken cancellationToken = default) =>
        Of(source).AverageAsync(selector, cancellationToken);

    /// <summary>Returns the average of the values that are not null, or null if there are none.</summary>
    public static Task<float?> AverageAsync<T>(this IQueryable<T> source, Expression<Func<T, float?>> selector, CancellationToken cancellationToken = default) =>
        Of(source).AverageAsync(selector, cancellationToken);

    /// <summary>Returns the average of the values.</summary>
    /// <exception cref="InvalidOperationException">There are no results.</exception>
    public static Task<double> AverageAsync<T>(this IQueryable<T> source, Expression<Func<T, double>> selector, CancellationToken cancellationToken = default) =>
        Of(source).AverageAsync(selector, cancellationToken);

    /// <summary>Returns the average of the values that are not null, or null if there are none.</summary>
    public static Task<double?> AverageAsync<T>(this IQueryable<T> source, Expression<Func<T, double?>> selector, CancellationToken cancellationToken = default) =>
        Of(source).AverageAsync(selector, cancellationToken);

    /// <summary>Returns the average of the values.</summary>
    /// <exception cref="InvalidOperationException">There are no results.</exception>
    public static Task<decimal> AverageAsync<T>(this IQueryable<T> source, Expression<Func<T, decimal>> selector, CancellationToken cancellationToken = default) =>
        Of(source).AverageAsync(selector, cancellationToken);

    /// <summary>Returns the average of the values that are not null, or null if there are none.</summary>
    public static Task<decimal?> AverageAsync<T>(this IQueryable<T> source, Expression<Func<T, decimal?>> selector, CancellationToken cancellationToken = default) =>
        Of(source).AverageAsync(selector, cancellationToken);
}
