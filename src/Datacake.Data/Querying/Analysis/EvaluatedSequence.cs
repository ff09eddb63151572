using System.Collections;
using System.Collections.ObjectModel;
using System.Linq.Expressions;

namespace Datacake.Data.Querying.Analysis;

/// <summary>The elements of a sequence, evaluated for one run of a query. Its text is that of the expression that it comes from.</summary>
sealed class EvaluatedSequence : ReadOnlyCollection<object?>
{
    const int MaxElements = 1_000_000;

    readonly Expression _source;

    EvaluatedSequence(List<object?> elements, Expression source)
        : base(elements) => _source = source;

    /// <summary>Returns the elements; null if reading them fails or does not end.</summary>
    public static EvaluatedSequence? TryOf(IEnumerable sequence, Expression source) => TryRead(sequence) is { } elements ? new EvaluatedSequence(elements, source) : null;

    /// <inheritdoc cref="TryOf"/>
    public static List<object?>? TryRead(IEnumerable sequence)
    {
        try
        {
            List<object?> elements = [.. sequence.Cast<object?>().Take(MaxElements + 1)];
            return elements.Count <= MaxElements ? elements : null;
        }
        catch (Exception)
        {
            // The predicate may never reach the sequence. If it does, the exception is thrown there.
            return null;
        }
    }

    public override string ToString() => ExpressionText.Of(_source);
}
