using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.Loader;
using Datacake.Data.CodeGeneration;
using Microsoft.CodeAnalysis;

namespace Datacake.Data.Analyzers.Tests.Fuzzing;

/// <summary>Loads compiled assemblies and creates the model of every context, which can fail even if the code compiles.</summary>
static class LoadedModels
{
    /// <summary>Returns the problems found, each with the first part of its namespace.</summary>
    /// <param name="compilation">The compilation with the contexts.</param>
    /// <param name="domain">The assembly with the entity classes of some models.</param>
    /// <param name="cancellationToken">Stops compiling.</param>
    public static IEnumerable<string> Check(Compilation compilation, byte[] domain, CancellationToken cancellationToken)
    {
        using var image = new MemoryStream();
        var emitted = compilation.Emit(image, cancellationToken: cancellationToken);
        if (!emitted.Success)
            return emitted.Diagnostics.Where(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error).Select(error => error.ToString());
        image.Position = 0;
        var context = new AssemblyLoadContext("fuzz", isCollectible: true);
        context.LoadFromStream(new MemoryStream(domain));
        try
        {
            return [.. context.LoadFromStream(image).GetTypes()
                .Where(type => typeof(DatacakeContext).IsAssignableFrom(type) && type is { IsAbstract: false, ContainsGenericParameters: false })
                .Select(type => (type.Namespace, Problem: FindProblem(type)))
                .Where(checkedContext => checkedContext.Problem is not null)
                .Select(checkedContext => $"{checkedContext.Namespace!.Split('.')[0]}: {checkedContext.Problem}")];
        }
        finally
        {
            context.Unload();
        }
    }

    static string? FindProblem(Type type)
    {
        try
        {
            // The model needs no node.
            var context = (DatacakeContext)RuntimeHelpers.GetUninitializedObject(type);
            foreach (var relation in context.Keyspaces.SelectMany(keyspace => keyspace.Entity.Relations))
            {
                if (relation.ForeignKey.Contains(null!))
                    return $"a property of the foreign key of {relation.Dependents.Entity.Name} to {relation.Principals.Entity.Name} is not mapped";
                if (relation.Principals.Entity.Key.Count != relation.ForeignKey.Count)
                    return $"the foreign key of {relation} does not fit the key";
            }
            foreach (var entity in context.Keyspaces.Select(keyspace => keyspace.Entity))
            {
                foreach (var navigation in entity.Navigations)
                {
                    if (FindProblem(entity, navigation) is { } problem)
                        return problem;
                }
            }
            var seeds = new SeedBuilder();
            typeof(DatacakeContext).GetMethod("DescribeSeeds", BindingFlags.Instance | BindingFlags.NonPublic)!.Invoke(context, [seeds]);
            _ = context.QueryFilters;
            return null;
        }
        catch (InvalidOperationException problem) when (problem.Message.StartsWith("The query filter", StringComparison.Ordinal) || problem.Message.Contains("of the assembly", StringComparison.Ordinal))
        {
            // These are errors that only a run can detect and that it reports correctly.
            return null;
        }
        catch (Exception problem)
        {
            return $"{type}: {problem}";
        }
    }

    /// <summary>Adds an entity to a navigation of an entity whose constructor has not run.</summary>
    static string? FindProblem(EntityModel model, NavigationModel navigation)
    {
        if (CreateUninitialized(navigation.TargetModel) is not { } target)
            return null;
        var owners = (model.Classes.Count == 0 ? [model.Type] : model.Classes.Select(known => known.Type)).Where(known => !known.IsAbstract).Select(RuntimeHelpers.GetUninitializedObject).ToList();
        var withNavigation = owners.Where(owner => owner.GetType().GetProperty(navigation.Name) is not null).ToList();
        foreach (object owner in withNavigation)
        {
            try
            {
                navigation.Add(owner, target);
            }
            catch (NullReferenceException)
            {
                // The property returns an object that its constructor would have created.
                continue;
            }
            if (!navigation.TargetsOf(owner).Contains(target, ReferenceEqualityComparer.Instance))
                return $"an entity added to {navigation} of {owner.GetType().Name} is missing";
        }
        return owners.Count > 0 && withNavigation.Count == 0 ? $"no class has the navigation {navigation}" : null;
    }

    static object? CreateUninitialized(EntityModel model)
    {
        var type = model.Classes.Select(known => known.Type).Prepend(model.Type).FirstOrDefault(known => !known.IsAbstract);
        return type is null ? null : RuntimeHelpers.GetUninitializedObject(type);
    }
}
