namespace Datacake.Data.Querying;

/// <summary>A relation with dependents of a known class, whatever the class of the principals.</summary>
interface IDependents<TDependent>
{
    /// <summary>Returns the query for the entities that refer to any of several principals.</summary>
    QuerySpec<TDependent> DependentsOf(IEnumerable<object> principals);
}
