namespace Datacake.Data.Querying;

/// <summary>A relation whose dependent entities are of a class, whatever the class that they refer to.</summary>
interface IDependents<TDependent>
{
    /// <summary>The query for the entities that refer to one of several.</summary>
    QuerySpec<TDependent> DependentsOf(IEnumerable<object> principals);
}
