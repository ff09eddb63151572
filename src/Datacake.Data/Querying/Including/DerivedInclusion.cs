namespace Datacake.Data.Querying.Including;

/// <summary>An inclusion in entities of which all are of a derived class.</summary>
sealed record DerivedInclusion<T, TDerived>(Inclusion<TDerived> OfDerived) : Inclusion<T>
{
    public override string Navigation => OfDerived.Navigation;

    // The base class may have an inclusion of the same name.
    public override string Name => $"{OfDerived.Name} of {typeof(TDerived).Name}";

    public override IEnumerable<string> AllNavigations => OfDerived.AllNavigations;

    public override Task LoadAsync(QuerySource source, IReadOnlyList<T> batch, CancellationToken cancellationToken) =>
        OfDerived.LoadAsync(source, [.. batch.Cast<TDerived>()], cancellationToken);

    public override Inclusion<T> MergedWith(Inclusion<T> other) =>
        new DerivedInclusion<T, TDerived>(OfDerived.MergedWith(((DerivedInclusion<T, TDerived>)other).OfDerived));

    public override string ToString() => OfDerived.ToString();
}
