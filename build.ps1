<#
.SYNOPSIS
Builds, tests, packs, and shows PSModel.
.DESCRIPTION
Build   builds everything and stages the module in out/PSModel/<version>/.
Test    builds, then runs the xunit tests and, where Pester is installed, the Pester files.
Pack    builds the module, makes out/PSModel.<version>.nupkg of it, and says the file's path and size. Install-PSResource
        takes the file from a folder that is registered as a repository. The same sources give the same bytes.
Demo    builds, then runs the demo: no network is needed.
.EXAMPLE
./build.ps1
.EXAMPLE
./build.ps1 -Task Test
.EXAMPLE
./build.ps1 -Task Pack
Register-PSResourceRepository -Name local -Uri ./out -Trusted
Install-PSResource PSModel -Repository local
#>
[CmdletBinding()]
param(
    [ValidateSet('Build', 'Test', 'Pack', 'Demo')]
    [string] $Task = 'Build'
)

$ErrorActionPreference = 'Stop'
$solution = "$PSScriptRoot/PSModel.sln"

function Invoke-Dotnet {
    & dotnet @args
    if ($LASTEXITCODE -ne 0) {
        throw "dotnet $($args[0]) failed."
    }
}

function Invoke-PesterFile {
    $pester = Get-Module Pester -ListAvailable | Where-Object Version -ge '5.0' | Sort-Object Version -Descending | Select-Object -First 1
    if (-not $pester) {
        Write-Warning "Pester 5 or later is not installed: the Pester files are skipped. 'Install-PSResource Pester' brings it."
        return
    }

    Import-Module $pester
    $configuration = New-PesterConfiguration
    $configuration.Run.Path = Join-Path $PSScriptRoot 'tests'
    $configuration.Run.PassThru = $true
    $result = Invoke-Pester -Configuration $configuration
    if ($result.Result -ne 'Passed') {
        throw "Pester: $($result.FailedCount) tests failed."
    }
}

# Task Pack uses the engine's own commands alone, for a test runs it where there is no other.
function Invoke-Pack {
    Invoke-Dotnet pack "$PSScriptRoot/src/PSModel" --nologo
    $version = (Test-ModuleManifest "$PSScriptRoot/PSModel.psd1").Version
    $package = [System.IO.FileInfo] "$PSScriptRoot/out/PSModel.$version.nupkg"
    "The package is $($package.FullName), $($package.Length) bytes."
}

if ($Task -ne 'Pack') {
    Invoke-Dotnet build $solution --nologo
}

switch ($Task) {
    'Build' {
        $version = (Import-PowerShellDataFile (Join-Path $PSScriptRoot 'PSModel.psd1')).ModuleVersion
        Write-Host "The module is staged in $(Join-Path $PSScriptRoot "out/PSModel/$version")."
    }
    'Test' {
        Invoke-Dotnet test $solution --nologo --no-build
        Invoke-PesterFile
    }
    'Pack' {
        Invoke-Pack
    }
    'Demo' {
        Invoke-Dotnet run --project (Join-Path $PSScriptRoot 'src/PSModel.Cli') --no-build -- demo
    }
}
