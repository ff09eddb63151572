using System.Linq.Expressions;
using Datacake.Data.CodeGeneration;

namespace Datacake.Data.Metadata;

/// <summary>A relation with dependents of a known class, whatever the class of the principals.</summary>
interface IRelationOf<TDependent>
{
    /// <summary>Gets the properties of the foreign key, in the order of the principal's key.</summary>
    IReadOnlyList<ForeignKeyPart<TDependent>> Parts { get; }

    /// <summary>
    /// Gets the condition that an entity has the derived class that declares the foreign key; null if all dependents have it.
    /// </summary>
    Expression<Func<TDependent, bool>>? OfDependentClass { get; }
}
