namespace Datacake.Data.Querying;

/// <summary>Related entities that come with those of a class.</summary>
abstract record Inclusion<T>
    where T : class
{
    /// <summary>The property that takes what is included.</summary>
    public abstract string Navigation { get; }

    /// <summary>What is included, and how it is found. Two of the same name differ at most in what is included further on.</summary>
    public abstract string Name { get; }

    /// <summary>The names of the properties that are filled, also of what is included further on.</summary>
    public abstract IEnumerable<string> AllNavigations { get; }

    /// <summary>Loads what belongs to a batch of entities, and hangs it on them.</summary>
    public abstract Task LoadAsync(QuerySource source, IReadOnlyList<T> batch, CancellationToken cancellationToken);

    /// <summary>This and another inclusion of the same name as one.</summary>
    public abstract Inclusion<T> MergedWith(Inclusion<T> other);

    /// <summary>Inclusions and one more, as part of the one that has its name if there is one.</summary>
    public static IReadOnlyList<Inclusion<T>> Merge(IReadOnlyList<Inclusion<T>> inclusions, Inclusion<T> other) =>
        inclusions.Any(inclusion => inclusion.Name == other.Name)
            ? [.. inclusions.Select(inclusion => inclusion.Name == other.Name ? inclusion.MergedWith(other) : inclusion)]
            : [.. inclusions, other];
}

/// <summary>Entities of one class that come with those of another, and what comes with them in turn.</summary>
abstract record Inclusion<T, TRelated> : Inclusion<T>
    where T : class
    where TRelated : class
{
    public IReadOnlyList<Inclusion<TRelated>> Further { get; init; } = [];

    public sealed override IEnumerable<string> AllNavigations =>
        Further.SelectMany(inclusion => inclusion.AllNavigations).Prepend(Navigation[(Navigation.LastIndexOf('.') + 1)..]);

    /// <summary>This inclusion with another one behind it.</summary>
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

    /// <summary>Loads the related entities, hangs them on a batch of entities, and returns them, each once.</summary>
    protected abstract Task<IReadOnlyList<TRelated>> LoadRelatedAsync(
        QuerySource source, IReadOnlyList<T> batch, CancellationToken cancellationToken);
}
