using System.Linq.Expressions;
using Datacake.Data.Metadata;

namespace Datacake.Data.Querying;

/// <summary>
/// Finds properties of entity classes that the model has no relation for. Only an <c>Include</c> with a foreign key fills them: without it they are what the class makes them,
/// and a condition on them would find nothing without a word.
/// </summary>
sealed class UndeclaredNavigation : ExpressionVisitor
{
    readonly DatacakeContext _context;
    readonly IReadOnlyCollection<string> _included;
    (EntityModel Model, string Name)? _found;

    UndeclaredNavigation(DatacakeContext context, IReadOnlyCollection<string> included) => (_context, _included) = (context, included);

    /// <summary>Refuses an expression of a query that uses such a property.</summary>
    /// <param name="context">The context.</param>
    /// <param name="expression">The expression.</param>
    /// <param name="included">The names of those that the query includes.</param>
    /// <exception cref="InvalidOperationException">It does.</exception>
    public static void Refuse(DatacakeContext context, LambdaExpression expression, IReadOnlyCollection<string>? included = null)
    {
        var search = new UndeclaredNavigation(context, included ?? []);
        search.Visit(expression.Body);
        if (search._found is not var (model, name))
            return;
        throw new InvalidOperationException(
            $"The query says something of {name} of {model.Name}, which is not loaded: the model has no relation for it. Declare one, by a foreign key property or with HasOne or HasMany in "
            + $"OnModelCreating instead of [Ignore], or load it before with Include and its foreign key: Include(e => e.{name}, e => e.{name}Id).");
    }

    /// <summary>Returns what to throw for an <c>Include</c> of a property that is not a navigation.</summary>
    public static InvalidOperationException NotIncludable(EntityModel model, string name) => new(model.FindProperty(name) is { } stored
        ? $"{name} of {model.Name} is {(stored.Kind == PropertyKind.Owned ? "an owned object" : "a value")}, which is stored with the {model.Name} and always there. Remove the Include: it brings "
            + "related entities."
        : $"The model has no relation for {name} of {model.Name}. Declare one, by a foreign key property or with HasOne or HasMany in OnModelCreating instead of [Ignore], or name the foreign "
            + $"key here: Include(e => e.{name}, e => e.{name}Id), or IncludeMany for a collection.");

    protected override Expression VisitMember(MemberExpression node)
    {
        if (node is { Expression: { } owner, Member: System.Reflection.PropertyInfo { Name: var name } } && !node.Type.IsValueType && node.Type != typeof(string) && _context.FindModel(owner.Type) is { } model
            && model.FindProperty(name) is null && model.FindNavigation(name) is null && !_included.Contains(name) && _context.IsEntity(node.Type))
            _found ??= (model, name);
        return base.VisitMember(node);
    }
}
