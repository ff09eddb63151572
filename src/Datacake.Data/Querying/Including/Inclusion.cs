using System.Runtime.CompilerServices;

namespace Datacake.Data.Querying.Including;

/// <summary>An inclusion of related entities in those of a class.</summary>
abstract record Inclusion<T>
{
    /// <summary>Gets the property that receives the included entities.</summary>
    public abstract string Navigation { get; }

    /// <summary>
    /// Gets a description of the included entities and of how they are found. Inclusions of the same name differ at most in what they
    /// include further.
    /// </summary>
    public abstract string Name { get; }

    /// <summary>Gets the names of the properties that are filled, including those of further inclusions.</summary>
    public abstract IEnumerable<string> AllNavigations { get; }

    /// <summary>Loads the related entities of a batch of entities and assigns them.</summary>
    public abstract Task LoadAsync(QuerySource source, IReadOnlyList<T> batch, CancellationToken cancellationToken);

    /// <summary>Returns this inclusion merged with another one of the same name.</summary>
    public abstract Inclusion<T> MergedWith(Inclusion<T> other);

    /// <summary>Loads the related entities of batches of entities and assigns them.</summary>
    public static async IAsyncEnumerable<IReadOnlyList<T>> LoadAsync(
        IAsyncEnumerable<IReadOnlyList<T>> entities, QuerySource source, IReadOnlyList<Inclusion<T>> inclusions,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await foreach (var batch in entities.WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            foreach (var inclusion in inclusions)
                await inclusion.LoadAsync(source, batch, cancellationToken).ConfigureAwait(false);
            yield return batch;
        }
    }

    /// <summary>Adds an inclusion to others. It is merged with the one that has its name, if there is one.</summary>
    public static IReadOnlyList<Inclusion<T>> Merge(IReadOnlyList<Inclusion<T>> inclusions, Inclusion<T> other) =>
        inclusions.Any(inclusion => inclusion.Name == other.Name)
            ? [.. inclusions.Select(inclusion => inclusion.Name == other.Name ? inclusion.MergedWith(other) : inclusion)]
            : [.. inclusions, other];
}

/// <summary>An inclusion of entities of one class in those of another, with further inclusions.</summary>
abstract record Inclusion<T, TRelated> : Inclusion<T>
    where T : class
    where TRelated : class
{
    public IReadOnlyList<Inclusion<TRelated>> Further { get; init; } = [];

    public sealed override IEnumerable<string> AllNavigations =>
        Further.SelectMany(inclusion => inclusion.AllNavigations).Prepend(Navigation[(Navigation.LastIndexOf('.') + 1)..]);

    /// <summary>Returns this inclusion followed by another one.</summary>
    public Inclusion<T> Then(Inclusion<TRelated> next) => this with { Further = [next] };

    public sealed override Inclusion<T> MergedWith(Inclusion<T> other) =>
        this with { Further = ((Inclusion<T, TRelated>)other).Further.Aggregate(Further, Inclusion<TRelated>.Merge) };

    public sealed override async Task LoadAsync(QuerySource source, IReadOnlyList<T> batch, CancellationToken cancellationToken)
    {
        var related = await LoadRelatedAsync(source, batch, cancellationToken).ConfigureAwait(false);
        foreach (var inclusion in Further)
            await inclusion.LoadAsync(source, related, cancellationToken).ConfigureAwait(false);
    }

    public sealed override string ToString() => Further.Count == 0 ? Name : $"{Name} ({string.Join("; ", Further)})";

    /// <summary>Loads the related entities, assigns them to a batch of entities, and returns each of them once.</summary>
    protected abstract Task<IReadOnlyList<TRelated>> LoadRelatedAsync(
        QuerySource source, IReadOnlyList<T> batch, CancellationToken cancellationToken);
}
