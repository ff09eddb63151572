using System.Reflection;

namespace Datacake.Storage.Specification.Tests;

/// <summary>A run of a specification's tests against a provider that collects the tests that fail.</summary>
static class SpecificationRun
{
    /// <summary>Returns the names of the tests that fail, with their messages.</summary>
    public static async Task<Dictionary<string, string>> FailuresAsync(Func<object> specification)
    {
        var failures = new Dictionary<string, string>();
        foreach (MethodInfo test in specification().GetType().GetMethods())
        {
            foreach (object?[] arguments in ArgumentsOf(test))
            {
                if (await FailureAsync(specification(), test, arguments) is { } failure)
                    failures[test.Name] = failure;
            }
        }
        return failures;
    }

    /// <summary>Returns the arguments of a method's test cases: one for a fact, one for each data row of a theory, none for other methods.</summary>
    static IEnumerable<object?[]> ArgumentsOf(MethodInfo method)
    {
        if (method.GetCustomAttribute<TheoryAttribute>() is not null)
            return method.GetCustomAttributes<InlineDataAttribute>().Select(line => line.Data);
        return method.GetCustomAttribute<FactAttribute>() is not null ? [[]] : [];
    }

    static async Task<string?> FailureAsync(object instance, MethodInfo test, object?[] arguments)
    {
        try
        {
            if (instance is IAsyncLifetime starting)
                await starting.InitializeAsync();
            if (test.Invoke(instance, arguments) is Task running)
                await running;
            return null;
        }
        catch (Exception failure)
        {
            return (failure is TargetInvocationException ? failure.InnerException! : failure).Message;
        }
        finally
        {
            if (instance is IAsyncDisposable ending)
                await ending.DisposeAsync();
            else
                (instance as IDisposable)?.Dispose();
        }
    }
}
